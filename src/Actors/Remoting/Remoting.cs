using System.Net;
using System.Net.Sockets;
using Convoy.Actors.Remoting.Addresses;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Security;
using Convoy.Actors.Remoting.Session;
using Convoy.Actors.Runtime;
using Convoy.Shared.Threading;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting;

/// <summary>One listening address of a process, and its links to others.</summary>
public sealed class Remoting : IRemoting, IAsyncDisposable
{
    private readonly OrderedLock _lock = new("the links", LockRank.Service);
    private readonly List<DialLink> _dialled = [];
    private readonly MonotonicClock _clock;
    private readonly IConnectionListener _listener;
    private readonly Acceptor _acceptor;
    private readonly SessionLimits _limits;
    private ulong _links;
    private volatile bool _stopping;

    private Remoting(ActorSystem system, RemotingOptions options, IPEndPoint listen)
    {
        System = system;
        Options = options;
        _notYet = options.NotYet;
        Features = [.. options.Features.Order(StringComparer.Ordinal)];
        _clock = new MonotonicClock(options.Time);
        _limits = new SessionLimits
        {
            MessagesMax = options.UnackedMessagesMax, BytesMax = options.UnackedBytesMax,
            Grace = options.Clocks.Confirm, Silence = options.Clocks.LinkSilence,
        };
        Timers = new TimerQueue(options.Time);
        Names = new NameTable(system);
        Tls = options.Security is { } security ? new TlsGate(security.Credentials) : null;
        BulkThreads = new Lanes.BulkThreads(options.BulkThreadPairsMax);
        try
        {
            _listener = Network.Listen(listen);
        }
        catch (SocketException inUse)
        {
            Timers.Dispose();
            throw new UserException(
                ExitCode.Cluster,
                $"cannot listen on {options.Listen}: {inUse.Message}; choose another port, or port 0 for a free one");
        }

        SharedMemory = new SharedMemory.SharedMemoryOffer(options);
        ListensOn = _listener.LocalAddress;
        Address = AddressList.Text(AddressList.Advertised(ListensOn, options.Advertise, HostAddresses.All()));
        _acceptor = new Acceptor(this, _listener);
    }

    /// <summary>Where others dial this process: host:port, or several with commas, best first.</summary>
    public string Address { get; }

    /// <summary>The address and port that are really taken; 0.0.0.0 means all of this machine.</summary>
    public IPEndPoint ListensOn { get; }

    /// <summary>
    /// Takes the bulk frames of all links; set it before the first link is up. Frames without a receiver are drained.
    /// </summary>
    public IBulkReceiver? Bulk { get; set; }

    /// <summary>Gets <see cref="LinkUp"/> and <see cref="LinkDown"/> of accepted links.</summary>
    public IActorRef? AcceptedOwner { get; set; }

    /// <summary>
    /// While set, every greeting is answered Busy with this text, so that who dials tries its next address.
    /// </summary>
    public string? NotYet
    {
        get => _notYet;
        set => _notYet = value;
    }

    private volatile string? _notYet;

    /// <summary>Connections that were closed because of what they sent, or did not send.</summary>
    public long RefusedCount => _acceptor.RefusedCount;

    internal INetwork Network { get; } = TcpNetwork.Instance;
    internal ActorSystem System { get; }
    internal RemotingOptions Options { get; }
    internal IReadOnlyList<string> Features { get; }
    internal TlsGate? Tls { get; }
    internal TimerQueue Timers { get; }
    internal NameTable Names { get; }
    internal Lanes.BulkThreads BulkThreads { get; }
    internal SharedMemory.SharedMemoryOffer SharedMemory { get; }
    internal Instant Now => _clock.Now;
    internal bool IsStopping => _stopping;
    internal IReadOnlyList<Link> AcceptedLinks => _acceptor.Links;

    /// <exception cref="UserException">The address is not loopback and there are no credentials, is taken, or cannot be
    /// understood.</exception>
    public static Task<Remoting> StartAsync(
        ActorSystem system, RemotingOptions options, IActorRef? acceptedOwner = null, IBulkReceiver? bulk = null)
    {
        if (options.NodeName.Length is 0 or > Frames.Handshake.NameBytesMax)
            throw new UserException(ExitCode.Usage, $"a node name has 1 to {Frames.Handshake.NameBytesMax} characters");
        if (options.Security?.Credentials.Identity is { } identity && identity.Name != options.NodeName)
            throw new UserException(ExitCode.Cluster,
                $"this node is called {options.NodeName}, and its certificate is of {identity}");
        if (options.Clocks.Check() is { } broken) throw new UserException(ExitCode.Usage, $"clocks: {broken}");
        var remoting = new Remoting(system, options, Endpoints.ToListen(options.Listen, options.Security is not null))
        {
            AcceptedOwner = acceptedOwner,
            Bulk = bulk,
        };
        _ = remoting._acceptor.RunAsync();
        return Task.FromResult(remoting);
    }

    /// <summary>The link that a message's sender belongs to; null for an actor of this process.</summary>
    public static Peer? PeerOf(IActorRef? actor) => (actor as IRemoteRef)?.Peer;

    /// <summary>Messages that name <paramref name="name"/> go to this actor from now on.</summary>
    public void Register(string name, IActorRef actor) => Names.Register(name, actor);

    /// <summary>
    /// Dials until the link is up, and again whenever it was lost, until <see cref="Peer.Close"/> or a refusal.
    /// <paramref name="linkOwner"/> gets <see cref="LinkUp"/>, <see cref="LinkDown"/>, <see cref="LinkRefused"/> and
    /// <see cref="LinkUnreachable"/>.
    /// </summary>
    /// <exception cref="UserException">The address is not loopback and there are no credentials, or cannot be
    /// understood.</exception>
    public Peer Connect(string address, IActorRef linkOwner, Incarnation? wanted = null)
    {
        var places = Endpoints.ToDial(address, Options.Security is not null);
        DialLink link;
        using (_lock.Enter())
        {
            if (_stopping) throw new InvalidOperationException("remoting is stopping: it dials nobody");
            link = new DialLink(this, new DialTarget(address, places, wanted ?? default), ++_links, linkOwner);
            _dialled.RemoveAll(static l => l.State == LinkState.Closed);
            _dialled.Add(link);
        }

        ThreadPool.UnsafeQueueUserWorkItem(static l => _ = l.RunAsync(), link, preferLocal: false);
        return link;
    }

    /// <summary>Stops listening and closes every link; what was told before gets half a second to arrive.</summary>
    public async ValueTask DisposeAsync()
    {
        List<Link> links;
        using (_lock.Enter())
        {
            if (_stopping) return;
            _stopping = true;
            links = [.. _dialled];
        }

        _listener.Dispose();
        links.AddRange(_acceptor.Links);
        foreach (var link in links) link.Close();
        foreach (var link in links) await link.Ended.ConfigureAwait(false);
        Timers.Dispose();
        SharedMemory.Dispose();
    }

    internal SessionProtocol<Frames.ControlContent> NewSession() => new(_limits);

    public void Outlast(TimeSpan silence)
    {
        if (silence > _limits.Silence) _limits.Silence = silence;
    }

    internal void Log(LogLevel level, string source, string text) =>
        System.Log(level, $"{Options.NodeName}/{source}", text, null);
}
