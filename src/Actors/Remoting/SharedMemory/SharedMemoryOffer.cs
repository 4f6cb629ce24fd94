using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Shared.Ids;

namespace Convoy.Actors.Remoting.SharedMemory;

/// <summary>
/// How two processes of one machine agree on a shorter road for a bulk lane. The dialler greets with
/// <see cref="Lane.SharedBulk"/> when it would like one; the acceptor may then name a secret and roads in its answer, a
/// ring in shared memory and a Unix socket, and the dialler says with one byte which of them it could take: another
/// container cannot map the file, and the lane stays on its connection. Where that one is TLS, the bell of a ring is
/// the Unix socket: what goes over it is plain, and leaves the machine nowhere.
/// </summary>
internal sealed class SharedMemoryOffer : IDisposable
{
    private const string RingPrefix = "ring ";
    private const string SocketPrefix = "unix ";
    private const string SecretPrefix = "secret ";
    private const byte TookRing = (byte)'R';
    private const byte TookRingAndSocket = (byte)'B';
    private const byte TookSocket = (byte)'U';
    private const byte TookNone = (byte)'S';

    private readonly SharedFolder? _folder;
    private readonly RemotingOptions _options;

    public SharedMemoryOffer(RemotingOptions options)
    {
        _options = options;
        var wanted = options.SharedMemory || options.UnixSockets;
        _folder = wanted ? SharedFolder.Open(options.SharedMemoryFolder, options.Incarnation) : null;
    }

    /// <summary>Whether a bulk lane over this connection may ask for another road.</summary>
    public bool Fits(IConnection connection) => _folder is not null && connection.IsSameMachine;

    /// <summary>A peer of this machine was lost, perhaps killed: nothing of it stays behind.</summary>
    public void Sweep() => _folder?.Sweep();

    /// <summary>The acceptor's roads; null: none is offered.</summary>
    public Offer? Make(IConnection connection, Greeting greeting, Incarnation owner)
    {
        if (greeting.Lane != Lane.SharedBulk || !Fits(connection)) return null;
        var offer = new Offer(KeyOf(greeting, owner.Value));
        if (_options.SharedMemory) offer.AddRing(_folder!.NextRing());
        if (_options.UnixSockets) offer.AddSocket(_folder!.NextSocket());
        if (offer.Lines.Count > 1) return offer;
        offer.Dispose();
        return null;
    }

    /// <summary>The dialler's side after the answer: takes the best road that it can, and says which.</summary>
    public async Task<IConnection> TakeUpAsync(IConnection connection, Greeting greeting, Answer answer,
        CancellationToken cancel)
    {
        if (TextOf(answer, SecretPrefix) is not { } hex || LocalSecret.Parse(hex) is not { } secret) return connection;
        var key = KeyOf(greeting, answer.Incarnation);
        var ring = _options.SharedMemory && TextOf(answer, RingPrefix) is { } ringPath
            ? OpenRing(ringPath, key, secret) : null;
        SocketConnection? socket = null;
        var kept = false;
        try
        {
            var bellIsHere = ring is not null && connection is SocketConnection;
            if (!bellIsHere && _options.UnixSockets && TextOf(answer, SocketPrefix) is { } path)
                socket = await LocalSocket.DialAsync(path, secret, key, cancel).ConfigureAwait(false);
            var took = bellIsHere ? TookRing : socket is null ? TookNone : ring is null
                ? TookSocket : TookRingAndSocket;
            await connection.SendAsync(new[] { took }, cancel).ConfigureAwait(false);
            if (took == TookNone) ring?.Dispose();
            if (socket is not null) await LeaveAsync(connection, cancel).ConfigureAwait(false);
            kept = true;
            return RoadOf(took, connection, ring, socket, isOwner: false);
        }
        finally
        {
            if (!kept)
            {
                ring?.Dispose();
                socket?.Dispose();
            }
        }
    }

    public void Dispose() => _folder?.Dispose();

    /// <summary>
    /// The acceptor closes first: closed here with its last bytes unread, the byte it waits for could be lost.
    /// </summary>
    private static async Task LeaveAsync(IConnection connection, CancellationToken cancel)
    {
        try
        {
            await connection.ReceiveAsync(new byte[1], cancel).ConfigureAwait(false);
        }
        catch (Exception closed) when (ConnectionLoss.Is(closed))
        {
            // As expected.
        }

        connection.Dispose();
    }

    private static SharedRing? OpenRing(string path, RingKey key, LocalSecret secret)
    {
        try
        {
            return SharedRing.Open(path, key, secret);
        }
        catch (Exception elsewhere) when (elsewhere is IOException or UnauthorizedAccessException)
        {
            return null; // not on this machine, or not for this user
        }
    }

    private static string? TextOf(Answer answer, string prefix)
    {
        foreach (var text in answer.Texts)
            if (text.StartsWith(prefix, StringComparison.Ordinal)) return text[prefix.Length..];
        return null;
    }

    private static IConnection RoadOf(
        byte took, IConnection connection, SharedRing? ring, SocketConnection? socket, bool isOwner) => took switch
        {
            TookRing => new SharedConnection((SocketConnection)connection, ring!, isOwner),
            TookRingAndSocket => new SharedConnection(socket!, ring!, isOwner),
            TookSocket => socket!,
            _ => connection,
        };

    private static RingKey KeyOf(Greeting greeting, ulong owner) =>
        new(owner, greeting.Incarnation, greeting.Link, greeting.Session);

    /// <summary>
    /// Roads that nobody uses yet. Disposed of, they have no names any more, and no memory if nobody took them.
    /// </summary>
    internal sealed class Offer(RingKey key) : IDisposable
    {
        private readonly LocalSecret _secret = LocalSecret.New();
        private readonly List<string> _lines = [];
        private SharedRing? _ring;
        private string? _ringPath;
        private LocalSocket? _socket;

        /// <summary>For the answer; the secret alone when there is no road.</summary>
        public IReadOnlyList<string> Lines => [SecretPrefix + _secret.Hex, .. _lines];

        public void AddRing(string path)
        {
            _ringPath = path;
            try
            {
                _ring = SharedRing.Create(path, key, _secret, SharedRing.DefaultBytes);
                _lines.Add(RingPrefix + path);
            }
            catch (Exception full) when (full is IOException or UnauthorizedAccessException)
            {
                SharedFolder.TryDelete(path);
            }
        }

        public void AddSocket(string path)
        {
            _socket = LocalSocket.Listen(path);
            if (_socket is not null) _lines.Add(SocketPrefix + path);
        }

        /// <summary>The acceptor's side after its answer: the connection to use from now on.</summary>
        /// <exception cref="IOException">The dialler took what it was not offered, or did not prove itself.</exception>
        public async Task<IConnection> SettleAsync(IConnection connection, CancellationToken cancel)
        {
            // The dialler tries the socket before it says whether it could.
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var arriving = _socket?.AcceptAsync(_secret, key, enough.Token) ?? Task.FromResult<SocketConnection?>(null);
            SocketConnection? socket = null;
            var usesSocket = false;
            try
            {
                var said = new byte[1];
                if (await connection.ReceiveAsync(said, cancel).ConfigureAwait(false) == 0)
                    throw new IOException("the connection was closed while another road was agreed on");
                usesSocket = said[0] is TookSocket or TookRingAndSocket;
                var usesRing = said[0] is TookRing or TookRingAndSocket;
                if (usesRing
                    && (_ring?.IsProvedBy(_secret, key) != true || (!usesSocket && connection is not SocketConnection)))
                    throw new IOException("the dialler took a ring without a proof that it may");
                if (usesSocket && (socket = await arriving.ConfigureAwait(false)) is null)
                    throw new IOException("the dialler took a Unix socket without a proof that it may");
                var road = RoadOf(said[0], connection, _ring, socket, isOwner: true);
                if (usesRing) _ring = null; // the connection's now
                if (usesSocket) connection.Dispose();
                DeleteNames(); // before anybody hears that the link is up
                return road;
            }
            finally
            {
                if (!usesSocket)
                {
                    await enough.CancelAsync().ConfigureAwait(false);
                    _ = DropAsync(arriving);
                }
            }
        }

        public void Dispose()
        {
            _ring?.Dispose();
            DeleteNames();
        }

        private void DeleteNames()
        {
            // Where a mapped file cannot be deleted, the end of the process does it.
            if (_ringPath is not null) SharedFolder.TryDelete(_ringPath);
            _socket?.Dispose();
        }

        private static async Task DropAsync(Task<SocketConnection?> arriving)
        {
            try
            {
                (await arriving.ConfigureAwait(false))?.Dispose();
            }
            catch (Exception none) when (ConnectionLoss.Is(none) || none is OperationCanceledException)
            {
                // Nobody came, as was to be expected.
            }
        }
    }
}
