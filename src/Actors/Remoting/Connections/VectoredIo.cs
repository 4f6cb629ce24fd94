// One system call for two pieces of memory. The runtime's sockets gather from arrays only, and tensors live in memory
// of their own. Unix has writev and readv for it; elsewhere the two pieces take two calls, which is all that differs.
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Convoy.Actors.Remoting.Connections;

internal static unsafe partial class VectoredIo
{
    private const int Eintr = 4;
    private const int Ebadf = 9;
    private const int Eagain = 11;
    private const int DontWaitOfLinux = 0x40;
    private const int EagainOfBsd = 35;

    public static bool IsSupported { get; } = OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <summary>Bytes written of both together; waits for room.</summary>
    /// <exception cref="SocketException">The connection is lost.</exception>
    public static int Write(Socket socket, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        using var one = first.Pin();
        using var two = second.Pin();
        var pieces = stackalloc Piece[2] { new(one.Pointer, first.Length), new(two.Pointer, second.Length) };
        while (true)
        {
            var written = writev(socket.SafeHandle, pieces, 2);
            if (written >= 0) return (int)written;
            AgainOrThrow();
        }
    }

    /// <summary>
    /// Bytes read, the first piece filled before the second; 0: the peer sends no more. Waits for data.
    /// </summary>
    /// <exception cref="SocketException">The connection is lost.</exception>
    public static int Read(Socket socket, Memory<byte> first, Memory<byte> second)
    {
        using var one = first.Pin();
        using var two = second.Pin();
        var pieces = stackalloc Piece[2] { new(one.Pointer, first.Length), new(two.Pointer, second.Length) };
        while (true)
        {
            var read = readv(socket.SafeHandle, pieces, 2);
            if (read >= 0) return (int)read;
            AgainOrThrow();
        }
    }

    /// <summary>What is there, without a wait: -1 is nothing, 0 that the peer sends no more. Linux only.</summary>
    /// <exception cref="SocketException">The connection is lost.</exception>
    public static int TryRead(Socket socket, Span<byte> into)
    {
        fixed (byte* at = into)
        {
            while (true)
            {
                var read = recv(socket.SafeHandle, at, into.Length, DontWaitOfLinux);
                if (read >= 0) return (int)read;
                if (Marshal.GetLastPInvokeError() == Eagain) return -1;
                AgainOrThrow();
            }
        }
    }

    /// <summary>Interrupted, it is to be called again.</summary>
    private static void AgainOrThrow()
    {
        var error = Marshal.GetLastPInvokeError();
        if (error == Eintr) return;
        throw new SocketException((int)(error switch
        {
            Ebadf => SocketError.OperationAborted,
            Eagain or EagainOfBsd => SocketError.WouldBlock, // somebody made the socket asynchronous
            _ => SocketError.ConnectionReset,
        }));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint writev(SafeSocketHandle socket, Piece* pieces, int count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint readv(SafeSocketHandle socket, Piece* pieces, int count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(SafeSocketHandle socket, byte* into, nint bytes, int flags);

    private readonly struct Piece(void* at, int bytes)
    {
        public readonly void* At = at;
        public readonly nint Bytes = bytes;
    }
}
