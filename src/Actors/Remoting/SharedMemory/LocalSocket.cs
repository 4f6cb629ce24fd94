// A Unix socket between two processes that have shaken hands on another connection: one listener for one lane, in the
// folder that only this user may enter, its name gone as soon as it was used. Both sides prove that they know the
// secret of the handshake before a byte of the lane goes over it. Windows has these sockets too; where the system
// refuses, the lane stays on the connection it has.
using System.Net.Sockets;
using Convoy.Actors.Remoting.Connections;

namespace Convoy.Actors.Remoting.SharedMemory;

internal sealed class LocalSocket : IDisposable
{
    private readonly Socket _listener;

    private LocalSocket(Socket listener, string path) => (_listener, Path) = (listener, path);

    public string Path { get; }

    /// <summary>Null: this system, or this folder, has no such sockets.</summary>
    public static LocalSocket? Listen(string path)
    {
        Socket? listener = null;
        try
        {
            listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(1);
            return new LocalSocket(listener, path);
        }
        catch (Exception none) when (IsRefusal(none))
        {
            listener?.Dispose();
            SharedFolder.TryDelete(path);
            return null;
        }
    }

    /// <summary>The acceptor's end; null: who came did not know the secret.</summary>
    public async Task<SocketConnection?> AcceptAsync(LocalSecret secret, RingKey key, CancellationToken cancel)
    {
        var accepted = await _listener.AcceptAsync(cancel).ConfigureAwait(false);
        var connection = new SocketConnection(accepted);
        try
        {
            if (await ReadsProofAsync(connection, secret, key, ofAcceptor: false, cancel).ConfigureAwait(false))
            {
                await connection.SendAsync(secret.Proof(ofAcceptor: true, key), cancel).ConfigureAwait(false);
                return connection;
            }
        }
        catch
        {
            connection.Dispose();
            throw;
        }

        connection.Dispose();
        return null;
    }

    /// <summary>The dialler's end; null: it cannot be reached from here, or it is not the acceptor's.</summary>
    public static async Task<SocketConnection?> DialAsync(string path, LocalSecret secret, RingKey key,
        CancellationToken cancel)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await QuietWait.ConnectAsync(socket, new UnixDomainSocketEndPoint(path), cancel).ConfigureAwait(false);
            var connection = new SocketConnection(socket);
            await connection.SendAsync(secret.Proof(ofAcceptor: false, key), cancel).ConfigureAwait(false);
            if (await ReadsProofAsync(connection, secret, key, ofAcceptor: true, cancel).ConfigureAwait(false))
                return connection;
        }
        catch (Exception none) when (IsRefusal(none))
        {
            // Another container, another user, or a system without them.
        }
        catch
        {
            socket?.Dispose();
            throw;
        }

        socket?.Dispose();
        return null;
    }

    public void Dispose()
    {
        _listener.Dispose();
        SharedFolder.TryDelete(Path);
    }

    private static async Task<bool> ReadsProofAsync(
        SocketConnection from, LocalSecret secret, RingKey key, bool ofAcceptor, CancellationToken cancel)
    {
        var said = new byte[LocalSecret.ProofBytes];
        for (var filled = 0; filled < said.Length;)
        {
            var read = await from.ReceiveAsync(said.AsMemory(filled), cancel).ConfigureAwait(false);
            if (read == 0) return false;
            filled += read;
        }

        return secret.IsProof(said, ofAcceptor, key);
    }

    /// <summary>Also a path that is too long for one, and a platform that knows none.</summary>
    private static bool IsRefusal(Exception e) =>
        ConnectionLoss.Is(e) || e is ArgumentException or UnauthorizedAccessException or PlatformNotSupportedException;
}
