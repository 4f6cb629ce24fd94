using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Security;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Security;
using Convoy.Shared.Time;

namespace Convoy.Fuzz.Targets;

/// <summary>
/// The same against a real listener with certificates: damaged TLS hellos, damaged greetings inside TLS, damaged frames
/// after a good handshake, connections that stop in the middle. A good peer must get in afterwards.
/// </summary>
internal sealed class ConnectionFuzz(ulong seed)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly CertificateAuthority _authority = CertificateAuthority.Create(TimeProvider.System.GetUtcNow());
    private readonly Mutator _hellos = new([Hello()]);
    private readonly Mutator _greetings = new([Greeting(Lane.Control, 1), Greeting(Lane.Bulk, 1)]);
    private readonly RefusalCounter _log = new();
    private readonly Mutator _frames = new(WireTargets.All()[2].Corpus);

    public long RefusedCount { get; private set; }

    /// <summary>Lines that the listener wrote about refusals: one for each reason, however many there were.</summary>
    public int RefusalLines => _log.Refusals;

    public async Task RunAsync(int count, Action<int> progress)
    {
        var system = ActorSystem.Create("fuzz", new ActorSystemOptions { LogSink = _log });
        await using var listener = await StartAsync(system, "listener");
        for (var i = 0; i < count; i++)
        {
            using var socket = await DialAsync(listener.Address);
            try
            {
                await OneAsync(socket, i);
            }
            catch (Exception closed) when (closed is IOException or SocketException or ObjectDisposedException)
            {
                // Refused before all was said.
            }

            if ((i + 1) % Math.Max(1, count / 10) == 0) progress(i + 1);
        }

        RefusedCount = listener.RefusedCount;
        await using var good = await StartAsync(system, "good");
        var peer = good.Connect(listener.Address, ActorRefs.Nobody);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        using var limit = new CancellationTokenSource(Limit);
        while (peer.State != LinkState.Up) await pace.WaitForNextTickAsync(limit.Token);
        _ = system.Terminate();
    }

    private async Task OneAsync(Socket socket, int i)
    {
        if (i % 4 == 0)
        {
            await socket.SendAsync(_hellos.Make(seed, i).ToArray());
            return;
        }

        await using var tls = new SslStream(new NetworkStream(socket));
        using var limit = new CancellationTokenSource(Limit);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "convoy", ApplicationProtocols = [TlsProfile.Lanes],
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            ClientCertificates = i % 4 == 1 ? null : [Credential("fuzz").Certificate],
        }, limit.Token);
        if (i % 4 != 3)
        {
            await tls.WriteAsync(_greetings.Make(seed, i).ToArray(), limit.Token);
            return;
        }

        await tls.WriteAsync(Greeting(Lane.Control, (ulong)i + 2), limit.Token);
        await tls.WriteAsync(_frames.Make(seed, i).ToArray(), limit.Token);
    }

    private Task<Remoting> StartAsync(ActorSystem system, string name) =>
        Remoting.StartAsync(system, new RemotingOptions
        {
            NodeName = name, Incarnation = new Incarnation(name == "good" ? 2u : 1u), BuildId = "b1",
            HandshakeTimeout = TimeSpan.FromSeconds(1),
            Clocks = new ClockTable
            {
                Confirm = TimeSpan.FromSeconds(1), Dead = TimeSpan.FromSeconds(4),
                StepOverdue = TimeSpan.FromSeconds(10)
            },
            Security = new LinkSecurity { Credentials = new CredentialSource(Credential(name), TimeProvider.System) },
        });

    private NodeCredential Credential(string name) => NodeCredential.FromPem(
        _authority.IssueWithKey(new NodeIdentity(ClusterRole.Worker, name), [], TimeSpan.FromDays(1),
            TimeProvider.System.GetUtcNow()),
        NodeCredential.TrustPem([_authority.Certificate]));

    private static byte[] Greeting(Lane lane, ulong link) => Handshake.Encode(new Greeting(
        lane, Handshake.ProtocolVersion, 0xFEED, 0, link, 1, 0, "fuzz", "b1", []));

    private static async Task<Socket> DialAsync(string address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPEndPoint.Parse(address)).WaitAsync(Limit);
        return socket;
    }

    /// <summary>What the platform's own client says first.</summary>
    private static byte[] Hello()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var client = new TcpClient();
        client.Connect((IPEndPoint)listener.LocalEndpoint);
        using var accepted = listener.AcceptTcpClient();
        using var tls = new SslStream(client.GetStream());
        var shaking = tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        { TargetHost = "convoy", ApplicationProtocols = [TlsProfile.Lanes] });
        var bytes = new byte[4_096];
        var read = accepted.GetStream().Read(bytes);
        accepted.Close();
        // it was only asked for its first words
        _ = shaking.ContinueWith(static t => t.Exception, TaskScheduler.Default);
        return bytes[..read];
    }

    private sealed class RefusalCounter : ILogSink
    {
        private int _refusals;

        public int Refusals => Volatile.Read(ref _refusals);

        public void Write(LogLevel level, string source, string text, Exception? exception = null)
        {
            if (text.StartsWith("refused", StringComparison.Ordinal)) Interlocked.Increment(ref _refusals);
        }
    }
}
