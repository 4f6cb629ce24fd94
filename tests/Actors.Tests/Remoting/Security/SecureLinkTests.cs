using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Security;
using Convoy.Shared;
using Convoy.Shared.Protocol;
using Convoy.Shared.Security;

namespace Convoy.Actors.Tests.Remoting.Security;

// Links over TLS with certificates on both sides, and everything that must not become one (decision 11, R20).
public sealed class SecureLinkTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly TestCluster _cluster = new();

    [Fact]
    public async Task Messages_and_tensors_go_over_TLS()
    {
        await using var a = await _cluster.StartAsync("a", roads: false);
        await using var b = await _cluster.StartAsync("b");
        var (here, there) = a.Join(b);
        Assert.Contains(b.LogLines, l => l.Contains("bulk over TLS", StringComparison.Ordinal));
        Assert.Equal("a", there.Id?.Node);
        here.Actor("inbox").Tell(Node.Step(7));
        Assert.Equal(7, b.Inbox.ExpectMsg<StepDone>().Step);
        foreach (var bytes in (int[])[0, 1, 5_000, 300_000, 4 << 20])
        {
            var payload = new byte[bytes];
            for (var i = 0; i < bytes; i++) payload[i] = (byte)(i * 7);
            Assert.True(here.TrySendBulk(BulkSink.Header(1), payload));
            Assert.Equal(payload, b.Bulk.Expect<BulkSink.Frame>().Payload);
        }

        Assert.Equal(0, b.Remoting.RefusedCount);
    }

    [Fact]
    public async Task A_connection_that_is_cut_resumes_over_TLS()
    {
        await using var a = await _cluster.StartAsync("a");
        await using var b = await _cluster.StartAsync("b");
        await using var wire = new Wire(b.Remoting.Address);
        var peer = a.Remoting.Connect(wire.Address, a.Links.Ref);
        a.Links.ExpectMsg<LinkUp>();
        for (var i = 1; i <= 50; i++)
        {
            peer.Actor("inbox").Tell(Node.Step(i));
            if (i == 25) wire.Cut(0);
        }

        for (var i = 1; i <= 50; i++) Assert.Equal(i, b.Inbox.ExpectMsg<StepDone>().Step);
    }

    [Fact]
    public async Task A_certificate_of_another_authority_is_refused_by_both_sides()
    {
        using var other = new TestCluster();
        await using var server = await _cluster.StartAsync("server");
        await using var stranger = await other.StartAsync("stranger");
        stranger.Dial(server);
        var refused = stranger.Links.ExpectMsg<LinkRefused>();
        Assert.Equal(LinkRefusedReason.Denied, refused.Reason);
        Assert.Contains("does not trust", Assert.Single(refused.Differences), StringComparison.Ordinal);
        Assert.False(server.Links.HasMessages);
    }

    [Fact] // the dialler believes both authorities, so that what refuses is the server
    public async Task A_dialler_of_another_authority_is_refused_by_the_server()
    {
        using var other = new TestCluster();
        await using var server = await _cluster.StartAsync("server");
        var believes = NodeCredential.TrustPem([_cluster.Authority.Certificate]);
        var foreign = NodeCredential.FromPem(other.PemOf(ClusterRole.Worker, "stranger", TimeSpan.Zero), believes);
        await using var stranger = await Node.StartAsync("stranger", TestCluster.With(SecurityOf(foreign)));
        stranger.Dial(server);
        ExpectDenied(stranger, "does not trust");
        ExpectLogged(server, "WrongAuthority");
    }

    [Fact]
    public async Task An_expired_certificate_is_refused()
    {
        await using var server = await _cluster.StartAsync("server");
        await using var late = await _cluster.StartAsync("late", age: TimeSpan.FromDays(2));
        late.Dial(server);
        ExpectDenied(late, "expired on");
        ExpectLogged(server, "Expired");
    }

    [Fact]
    public async Task A_server_with_an_expired_certificate_is_refused()
    {
        await using var late = await _cluster.StartAsync("late", age: TimeSpan.FromDays(2));
        await using var a = await _cluster.StartAsync("a");
        a.Dial(late);
        ExpectDenied(a, "expired on");
    }

    [Fact]
    public async Task A_worker_cannot_stand_as_the_coordinator()
    {
        await using var fake = await _cluster.StartAsync("coordinator");
        await using var w0 = await Node.StartAsync("w0", TestCluster.With(
            _cluster.Security(ClusterRole.Worker, "w0") with { Expects = _ => ClusterRole.Coordinator }));
        w0.Dial(fake);
        ExpectDenied(w0, "may not act as coordinator");
    }

    [Fact]
    public async Task An_operator_opens_no_lanes()
    {
        await using var server = await _cluster.StartAsync("server");
        await using var person = await _cluster.StartAsync("ann", ClusterRole.Operator);
        person.Dial(server);
        ExpectDenied(person, "may not act as worker");
        ExpectLogged(server, "WrongRole");
    }

    [Fact]
    public async Task A_node_goes_by_the_name_in_its_certificate()
    {
        await using var server = await _cluster.StartAsync("server");
        using var socket = await DialAsync(server);
        await using var tls = await ShakeAsync(socket, _cluster.Credential(ClusterRole.Worker, "w0"));
        await tls.WriteAsync(Greet("w1"));
        Assert.Contains("calls itself w1", await ReadDeniedAsync(tls), StringComparison.Ordinal);
        ExpectLogged(server, "WrongName");
        await Assert.ThrowsAsync<UserException>(() =>
            Node.StartAsync("w1", TestCluster.With(_cluster.Security(ClusterRole.Worker, "w0"))));
    }

    [Fact]
    public async Task Without_a_certificate_there_is_no_lane()
    {
        await using var server = await _cluster.StartAsync("server");
        using var socket = await DialAsync(server);
        await using var tls = await ShakeAsync(socket, null);
        await tls.WriteAsync(Greet("w0"));
        Assert.Contains("no certificate", await ReadDeniedAsync(tls), StringComparison.Ordinal);
        ExpectLogged(server, "NoCertificate");
    }

    [Fact]
    public async Task A_plain_dialler_is_told_that_TLS_is_required()
    {
        await using var server = await _cluster.StartAsync("server");
        await using var plain = await Node.StartAsync("plain");
        plain.Dial(server);
        ExpectDenied(plain, "TLS is required");
        ExpectLogged(server, "Plain");
    }

    [Fact]
    public async Task A_secure_dialler_does_not_fall_back_to_plain()
    {
        await using var plain = await Node.StartAsync("plain");
        await using var secure = await _cluster.StartAsync("secure");
        secure.Dial(plain);
        var refused = secure.Links.ExpectMsg<LinkRefused>();
        Assert.Equal(LinkRefusedReason.NotConvoy, refused.Reason);
        Assert.Contains("no TLS 1.3", refused.Differences[0], StringComparison.Ordinal);
        ExpectLogged(plain, "it speaks TLS");
        Assert.False(plain.Links.HasMessages);
    }

    [Fact]
    public async Task TLS_1_2_is_refused()
    {
        await using var server = await _cluster.StartAsync("server");
        using var socket = await DialAsync(server);
        await using var tls = new SslStream(new NetworkStream(socket));
        await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "convoy", EnabledSslProtocols = OlderTls,
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        }).WaitAsync(Limit));
        ExpectLogged(server, "OldTls");
    }

    [Fact]
    public async Task Garbage_that_begins_like_TLS_is_closed_and_logged_once()
    {
        await using var server = await _cluster.StartAsync("server");
        for (var i = 0; i < 20; i++)
        {
            using var socket = await DialAsync(server);
            byte[] garbage = [0x16, 3, 1, 0, 200, .. Enumerable.Repeat((byte)i, 200)];
            await socket.SendAsync(garbage);
            await ExpectEndAsync(socket);
        }

        Assert.True(SpinWait.SpinUntil(() => server.Remoting.RefusedCount == 20, Limit));
        Assert.Single(server.LogLines, l => l.Contains("BrokenTls", StringComparison.Ordinal));
    }

    // Each kind of stranger five times: five refusals, one line in the log, and no link.
    [Theory]
    [InlineData("Plain")]
    [InlineData("NoCertificate")]
    [InlineData("WrongAuthority")]
    [InlineData("Expired")]
    [InlineData("WrongRole")]
    [InlineData("WrongName")]
    [InlineData("BadGreeting")]
    [InlineData("Versions")]
    [InlineData("Silent")]
    public async Task Every_kind_of_stranger_is_refused_and_logged_once(string why)
    {
        using var other = new TestCluster();
        await using var server = await _cluster.StartAsync("server");
        var credential = why switch
        {
            "NoCertificate" => null,
            "WrongAuthority" => other.Credential(ClusterRole.Worker, "w0"),
            "Expired" => _cluster.Credential(ClusterRole.Worker, "w0", TimeSpan.FromDays(3)),
            "WrongRole" => _cluster.Credential(ClusterRole.Coordinator, "w0"),
            "WrongName" => _cluster.Credential(ClusterRole.Worker, "w9"),
            _ => _cluster.Credential(ClusterRole.Worker, "w0"),
        };
        for (var i = 0; i < 5; i++)
        {
            using var socket = await DialAsync(server);
            await using var stream = why == "Plain"
                ? new NetworkStream(socket) : (Stream)await ShakeAsync(socket, credential);
            if (why != "Silent") await stream.WriteAsync(Said(why));
            else socket.Shutdown(SocketShutdown.Send);
            await ExpectEndAsync(socket);
        }

        Assert.True(SpinWait.SpinUntil(() => server.Remoting.RefusedCount == 5, Limit),
            string.Join('\n', server.LogLines));
        Assert.Single(server.LogLines, l => l.Contains($"({why})", StringComparison.Ordinal));
        Assert.Single(server.LogLines, l => l.Contains("refused", StringComparison.Ordinal));
        Assert.Empty(server.Remoting.AcceptedLinks);
    }

    private static byte[] Said(string why) => why switch
    {
        "BadGreeting" => [.. "CNVY"u8, 9, 9, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F],
        "Versions" =>
            Handshake.Encode(new Greeting(Lane.Control, Handshake.ProtocolVersion, 0xFEED, 0, 1, 1, 0, "w0", "b0", [])),
        _ => Greet("w0"),
    };

    [Fact] // R20: inside TLS too, versions are compared and the difference can be read
    public async Task Other_versions_are_refused_with_a_diff()
    {
        await using var server = await _cluster.StartAsync("server");
        await using var older = await Node.StartAsync("older",
            o => TestCluster.With(_cluster.Security(ClusterRole.Worker, "older"))(o) with
            { BuildId = "b0", Features = ["shm"] });
        older.Dial(server);
        var refused = older.Links.ExpectMsg<LinkRefused>();
        Assert.Equal(LinkRefusedReason.Versions, refused.Reason);
        Assert.Equal(["build: b1 here, b0 at older", "feature shm: off here, on at older"], refused.Differences);
    }

    [Fact] // nobody takes over a session by knowing its numbers
    public async Task A_session_belongs_to_its_certificate()
    {
        await using var server = await _cluster.StartAsync("server");
        await using var w0 = await _cluster.StartAsync("w0");
        w0.Join(server);
        var incarnation = server.Remoting.AcceptedLinks[0].Id!.Value.Incarnation.Value;
        using var socket = await DialAsync(server);
        await using var tls = await ShakeAsync(socket, _cluster.Credential(ClusterRole.Worker, "w1"));
        await tls.WriteAsync(Greet("w1", Lane.Bulk, incarnation));
        using var limit = new CancellationTokenSource(Limit);
        Assert.Equal(AnswerKind.SessionOver, (await ReadAnswerAsync(tls, limit.Token)).Kind);
        Assert.Equal(LinkState.Up, server.Remoting.AcceptedLinks[0].State);
    }

    [Fact]
    public async Task What_is_for_a_coordinator_alone_is_not_told_by_a_worker()
    {
        await using var server = await Node.StartAsync("server", TestCluster.With(
            _cluster.Security(ClusterRole.Worker, "server") with
            { CoordinatorOnly = ["inbox"], Admits = [ClusterRole.Worker, ClusterRole.Coordinator] }));
        await using var worker = await _cluster.StartAsync("w0");
        await using var leader = await _cluster.StartAsync("coordinator", ClusterRole.Coordinator);
        worker.Dial(server).Actor("inbox").Tell(Node.Step(1), worker.Inbox.Ref);
        Assert.Equal(UndeliverableReason.UnknownTarget, worker.Inbox.ExpectMsg<Undeliverable>().Reason);
        leader.Dial(server).Actor("inbox").Tell(Node.Step(2), leader.Inbox.Ref);
        Assert.Equal(2, server.Inbox.ExpectMsg<StepDone>().Step);
    }

    [Fact]
    public async Task Other_addresses_than_loopback_are_open_with_credentials_only()
    {
        var address = NonLoopback();
        Assert.SkipWhen(address is null, "this machine has no address but loopback");
        var refused = await Assert.ThrowsAsync<UserException>(() =>
            Node.StartAsync("a", o => o with { Listen = $"{address}:0" }));
        Assert.Equal(ExitCode.Cluster, refused.Code);
        Assert.Contains("without cluster credentials", refused.Message, StringComparison.Ordinal);

        await using var a = await _cluster.StartAsync("a");
        await using var b = await Node.StartAsync("b",
            o => TestCluster.With(_cluster.Security(ClusterRole.Worker, "b"))(o) with { Listen = $"{address}:0" });
        a.Join(b).Here.Actor("inbox").Tell(Node.Step(3));
        Assert.Equal(3, b.Inbox.ExpectMsg<StepDone>().Step);
    }

    [Fact]
    public async Task A_name_is_looked_up_and_may_be_unknown()
    {
        await using var a = await _cluster.StartAsync("a");
        var peer = a.Remoting.Connect("no-such-host.invalid:1", a.Links.Ref);
        Assert.Equal(LinkState.Connecting, peer.State);
        await Assert.ThrowsAsync<UserException>(() => Node.StartAsync("c",
            o => TestCluster.With(_cluster.Security(ClusterRole.Worker, "c"))(o) with { Listen = "some-name:0" }));
    }

    private static LinkSecurity SecurityOf(NodeCredential credential) => new()
    {
        Credentials = new CredentialSource(credential, TimeProvider.System),
    };

    private static void ExpectDenied(Node dialler, string says)
    {
        var refused = dialler.Links.ExpectMsg<LinkRefused>();
        Assert.Equal(LinkRefusedReason.Denied, refused.Reason);
        Assert.Contains(says, Assert.Single(refused.Differences), StringComparison.Ordinal);
    }

    private static void ExpectLogged(Node node, string what) => Assert.True(
        SpinWait.SpinUntil(() => node.LogLines.Any(l => l.Contains(what, StringComparison.Ordinal)), Limit),
        string.Join('\n', node.LogLines));

    private static byte[] Greet(string name, Lane lane = Lane.Control, ulong incarnation = 0xFEED) =>
        Handshake.Encode(new Greeting(
        lane, Handshake.ProtocolVersion, incarnation, 0, 1, 1, 0, name, "b1", []));

    private static async Task<Socket> DialAsync(Node node)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPEndPoint.Parse(node.Remoting.Address)).WaitAsync(Limit);
        return socket;
    }

    private static async Task<SslStream> ShakeAsync(Socket socket, NodeCredential? credential)
    {
        var tls = new SslStream(new NetworkStream(socket));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "convoy", ApplicationProtocols = [TlsProfile.Lanes],
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
            ClientCertificates = credential is null ? null : [credential.Certificate],
        }).WaitAsync(Limit);
        return tls;
    }

    private static async Task<string> ReadDeniedAsync(Stream stream)
    {
        using var limit = new CancellationTokenSource(Limit);
        var answer = await ReadAnswerAsync(stream, limit.Token);
        Assert.Equal(AnswerKind.Denied, answer.Kind);
        return Assert.Single(answer.Texts);
    }

    private static async Task<Answer> ReadAnswerAsync(Stream stream, CancellationToken cancel)
    {
        var head = new byte[Handshake.HeadBytes];
        await stream.ReadExactlyAsync(head, cancel);
        Assert.Null(Handshake.TryReadHead(head, out var kind, out var length));
        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancel);
        Assert.Null(Handshake.TryReadAnswer(kind, body, out var answer));
        return answer!;
    }

    private static async Task ExpectEndAsync(Socket socket)
    {
        var scratch = new byte[1_024];
        try
        {
            while (await socket.ReceiveAsync(scratch).WaitAsync(Limit) > 0)
            {
                // A TLS alert may come before the end.
            }
        }
        catch (Exception closed) when (ConnectionLoss.Is(closed))
        {
            // Reset: closed with our bytes unread.
        }
    }

    private static IPAddress? NonLoopback() => Dns.GetHostAddresses(Dns.GetHostName())
        .FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(a));

    // What is refused here is exactly what the analyzers would refuse to let us offer.
#pragma warning disable CA5398, SYSLIB0039
    private const SslProtocols OlderTls = SslProtocols.Tls12;
#pragma warning restore CA5398, SYSLIB0039

    public void Dispose() => _cluster.Dispose();
}
