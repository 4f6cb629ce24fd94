using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Shared.Ids;

namespace Convoy.Actors.Remoting.SharedMemory;

/// <summary>
/// How two ends agree on shared memory. The dialler greets with <see cref="Lane.SharedBulk"/> when it would like to; the
/// acceptor may then name a file in its answer, and the dialler says with one byte whether it has mapped it: another
/// container or another machine cannot, and the lane stays on its socket.
/// </summary>
internal sealed class SharedMemoryOffer : IDisposable
{
    private const string Prefix = "ring ";
    private const byte Mapped = (byte)'R';
    private const byte NotMapped = (byte)'S';

    private readonly SharedFolder? _folder;
    private readonly int _ringBytes;

    public SharedMemoryOffer(RemotingOptions options)
    {
        _ringBytes = SharedRing.DefaultBytes;
        _folder = options.SharedMemory ? SharedFolder.Open(options.SharedMemoryFolder, options.Incarnation) : null;
    }

    /// <summary>Whether a bulk lane over this connection may ask for shared memory.</summary>
    public bool Fits(IConnection connection) => _folder is not null && connection is SocketConnection { IsLoopback: true };

    /// <summary>The acceptor's ring; null: none is offered.</summary>
    public Offer? Make(IConnection connection, Greeting greeting, Incarnation owner)
    {
        if (greeting.Lane != Lane.SharedBulk || !Fits(connection)) return null;
        var path = _folder!.NextRing();
        try
        {
            return new Offer(SharedRing.Create(path, KeyOf(greeting, owner.Value), _ringBytes), path);
        }
        catch (Exception full) when (full is IOException or UnauthorizedAccessException)
        {
            SharedFolder.TryDelete(path);
            return null;
        }
    }

    /// <summary>The dialler's side after the answer: maps what was offered and says whether it could.</summary>
    public static async Task<IConnection> TakeUpAsync(
        IConnection connection, Greeting greeting, Answer answer, CancellationToken cancel)
    {
        if (answer.Texts.Count == 0 || !answer.Texts[0].StartsWith(Prefix, StringComparison.Ordinal)) return connection;
        SharedRing? ring = null;
        try
        {
            ring = SharedRing.Open(answer.Texts[0][Prefix.Length..], KeyOf(greeting, answer.Incarnation));
        }
        catch (Exception elsewhere) when (elsewhere is IOException or UnauthorizedAccessException)
        {
            // Not on this machine, or not for this user.
        }

        try
        {
            await connection.SendAsync(new[] { ring is null ? NotMapped : Mapped }, cancel).ConfigureAwait(false);
            return ring is null ? connection : new SharedConnection((SocketConnection)connection, ring, isOwner: false);
        }
        catch
        {
            ring?.Dispose();
            throw;
        }
    }

    public void Dispose() => _folder?.Dispose();

    private static RingKey KeyOf(Greeting greeting, ulong owner) => new(owner, greeting.Incarnation, greeting.Link, greeting.Session);

    /// <summary>A ring that nobody uses yet. Disposed of, its file has no name any more, and no memory if nobody took it up.</summary>
    internal sealed class Offer(SharedRing ring, string path) : IDisposable
    {
        private bool _isTaken;

        public string Line => Prefix + path;

        /// <summary>The acceptor's side after its answer: the connection to use from now on.</summary>
        public async Task<IConnection> SettleAsync(IConnection connection, CancellationToken cancel)
        {
            var said = new byte[1];
            if (await connection.ReceiveAsync(said, cancel).ConfigureAwait(false) == 0)
                throw new IOException("the connection was closed while shared memory was agreed on");
            _isTaken = said[0] == Mapped;
            SharedFolder.TryDelete(path);
            return _isTaken ? new SharedConnection((SocketConnection)connection, ring, isOwner: true) : connection;
        }

        public void Dispose()
        {
            if (!_isTaken) ring.Dispose();
            SharedFolder.TryDelete(path); // where a mapped file cannot be deleted, the end of the process does it
        }
    }
}
