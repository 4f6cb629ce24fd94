using System.Net.Sockets;
using Convoy.Actors.Remoting.Frames;

namespace Convoy.Actors.Remoting.Lanes;

/// <summary>The other side broke the handshake.</summary>
internal sealed class HandshakeException(string message) : Exception(message);

/// <summary>Reads exactly one handshake frame and not a byte of what follows it.</summary>
internal static class HandshakeIo
{
    public static async Task SendAsync(Socket socket, byte[] frame, CancellationToken cancel)
    {
        for (var sent = 0; sent < frame.Length;)
            sent += await socket.SendAsync(frame.AsMemory(sent), SocketFlags.None, cancel).ConfigureAwait(false);
    }

    public static async Task<Greeting> ReadGreetingAsync(Socket socket, CancellationToken cancel)
    {
        var (kind, body) = await ReadAsync(socket, cancel).ConfigureAwait(false);
        return Handshake.TryReadGreeting(kind, body, out var greeting) is { } why ? throw new HandshakeException(why) : greeting!;
    }

    public static async Task<Answer> ReadAnswerAsync(Socket socket, CancellationToken cancel)
    {
        var (kind, body) = await ReadAsync(socket, cancel).ConfigureAwait(false);
        return Handshake.TryReadAnswer(kind, body, out var answer) is { } why ? throw new HandshakeException(why) : answer!;
    }

    private static async Task<(byte Kind, byte[] Body)> ReadAsync(Socket socket, CancellationToken cancel)
    {
        var head = new byte[Handshake.HeadBytes];
        await FillAsync(socket, head, cancel).ConfigureAwait(false);
        if (Handshake.TryReadHead(head, out var kind, out var bodyBytes) is { } why) throw new HandshakeException(why);
        var body = new byte[bodyBytes];
        await FillAsync(socket, body, cancel).ConfigureAwait(false);
        return (kind, body);
    }

    private static async Task FillAsync(Socket socket, Memory<byte> into, CancellationToken cancel)
    {
        while (into.Length > 0)
        {
            var read = await socket.ReceiveAsync(into, SocketFlags.None, cancel).ConfigureAwait(false);
            if (read == 0) throw new SocketException((int)SocketError.ConnectionReset);
            into = into[read..];
        }
    }
}
