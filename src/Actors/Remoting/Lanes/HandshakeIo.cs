using System.Net.Sockets;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Security;

namespace Convoy.Actors.Remoting.Lanes;

/// <summary>The other side broke the handshake.</summary>
internal sealed class HandshakeException(string message) : Exception(message)
{
    public Refusal Why { get; init; } = Refusal.BadGreeting;
}

/// <summary>Reads exactly one handshake frame and not a byte of what follows it.</summary>
internal static class HandshakeIo
{
    public static Task SendAsync(IConnection connection, byte[] frame, CancellationToken cancel) =>
        connection.SendAsync(frame, cancel).AsTask();

    public static async Task<Greeting> ReadGreetingAsync(IConnection connection, CancellationToken cancel)
    {
        var (kind, body) = await ReadAsync(connection, cancel).ConfigureAwait(false);
        return Handshake.TryReadGreeting(kind, body, out var greeting) is { } why
            ? throw new HandshakeException(why) : greeting!;
    }

    public static async Task<Answer> ReadAnswerAsync(IConnection connection, CancellationToken cancel)
    {
        var (kind, body) = await ReadAsync(connection, cancel).ConfigureAwait(false);
        return Handshake.TryReadAnswer(kind, body, out var answer) is { } why
            ? throw new HandshakeException(why) : answer!;
    }

    private static async Task<(byte Kind, byte[] Body)> ReadAsync(IConnection connection, CancellationToken cancel)
    {
        var head = new byte[Handshake.HeadBytes];
        await FillAsync(connection, head, cancel).ConfigureAwait(false);
        if (Handshake.TryReadHead(head, out var kind, out var bodyBytes) is { } why) throw new HandshakeException(why);
        var body = new byte[bodyBytes];
        await FillAsync(connection, body, cancel).ConfigureAwait(false);
        return (kind, body);
    }

    private static async Task FillAsync(IConnection connection, Memory<byte> into, CancellationToken cancel)
    {
        while (into.Length > 0)
        {
            var read = await connection.ReceiveAsync(into, cancel).ConfigureAwait(false);
            if (read == 0) throw new SocketException((int)SocketError.ConnectionReset);
            into = into[read..];
        }
    }
}
