using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Security;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Security;

namespace Convoy.Coordinator.Tests.Security;

// A coordinator with credentials: real sockets, TLS on loopback (decision 11).
public sealed class SecureHostTests : IDisposable
{
    private static readonly TimeSpan Year = TimeSpan.FromDays(365);
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-secure-").FullName;
    private readonly CredentialRoot _root;
    private readonly LinesLog _log = new();

    public SecureHostTests()
    {
        _root = new CredentialRoot(Path.Combine(_folder, "credentials"));
        _root.Init([], "ann", Year, TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task An_operator_may_look_and_command()
    {
        await using var host = await StartAsync();
        using var client = Operator(host);
        Assert.Equal("none", (await client.StatusAsync()).State);
        Assert.True(EndpointFile.Read(State).Tls);
        var stop = await Assert.ThrowsAsync<UserException>(() => client.StopAsync(new StopRequest()));
        Assert.Contains("no job runs here", stop.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stranger_may_only_join()
    {
        await using var host = await StartAsync();
        using var stranger = ConvoyClient.OfStranger(host.Address, null, TimeProvider.System);
        await RefusedAsync(() => stranger.StatusAsync(), "GET /api/status is refused: no certificate was shown");
        await RefusedAsync(() => stranger.CreateTokenAsync(new TokenRequest()), "is refused");
        Assert.Contains("BEGIN CERTIFICATE", (await stranger.TrustAsync()).TrustPem, StringComparison.Ordinal);
        Assert.Single(_log.Lines, l => l.Contains("GET /api/status is refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_machine_joins_with_a_token_and_then_is_a_worker()
    {
        await using var host = await StartAsync();
        var token = await TokenAsync(host);
        var reply = await JoinAsync(host, token, "w0", out var key);
        using var worker = new ConvoyClient(host.Address, SourceOf(reply, key));
        await RefusedAsync(() => worker.StatusAsync(), "the certificate of worker w0 may not act as operator");
        await RefusedAsync(() => worker.ScaleAsync(3), "may not act as");

        using var next = KeyRequest.Create();
        var renewed = await worker.RenewAsync(new RenewRequest { Request = next.Encode("coordinator") });
        Assert.Equal("worker w0",
            NodeCredential.FromPem($"{renewed.CertificatePem}\n{next.KeyPem}", renewed.TrustPem).Identity.ToString());
        Assert.DoesNotContain(_log.Lines, l => l.Contains(token.Secret, StringComparison.Ordinal)
            || l.Contains("PRIVATE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_used_token_is_refused_by_name_except_to_the_key_it_admitted()
    {
        await using var host = await StartAsync();
        var token = await TokenAsync(host);
        await JoinAsync(host, token, "w0", out var key);
        using var stranger = ConvoyClient.OfStranger(host.Address, null, TimeProvider.System);
        await RefusedAsync(() => JoinAsync(host, token, "w1", out _), $"token {token.Id} is used up (1 of 1 uses)");
        var again = await stranger.JoinAsync(
            new JoinRequest { TokenId = token.Id, Secret = token.Secret, Name = "w0", Request = key.Encode("w0") });
        Assert.Contains("BEGIN CERTIFICATE", again.CertificatePem, StringComparison.Ordinal);
        await RefusedAsync(() => JoinAsync(host, JoinToken.Create(new byte[32]), "w1", out _), "knows no such token");
        await RefusedAsync(() => JoinAsync(host, token, "../etc", out _), "a node name is made of");
    }

    [Fact]
    public async Task A_stranger_cannot_send_much()
    {
        await using var host = await StartAsync();
        using var stranger = ConvoyClient.OfStranger(host.Address, null, TimeProvider.System);
        await Assert.ThrowsAnyAsync<UserException>(() => stranger.JoinAsync(
            new JoinRequest { TokenId = "x", Secret = "y", Name = "w", Request = new byte[1 << 20] }));
        using var client = Operator(host);
        Assert.Equal("none", (await client.StatusAsync()).State);
    }

    [Fact]
    public async Task Plain_HTTP_to_a_secure_port_gets_one_clear_line()
    {
        await using var host = await StartAsync();
        using var plain = new ConvoyClient(host.Address);
        await RefusedAsync(() => plain.StatusAsync(), "speaks TLS only");
        using var raw = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await raw.ConnectAsync(IPEndPoint.Parse(host.Address));
        await raw.SendAsync(Encoding.ASCII.GetBytes("GET /api/status HTTP/1.1\r\n\r\n"));
        var buffer = new byte[4_096];
        var read = await raw.ReceiveAsync(buffer);
        Assert.StartsWith("HTTP/1.1 400 ", Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_believes_only_its_own_coordinator()
    {
        await using var host = await StartAsync();
        var other = new CredentialRoot(Path.Combine(_folder, "other"));
        other.Init([], "eve", Year, TimeProvider.System.GetUtcNow());
        using var eve = new ConvoyClient(host.Address,
            new CredentialSource(other.FolderOf(ClusterRole.Operator), ClusterRole.Operator, TimeProvider.System));
        await RefusedAsync(() => eve.StatusAsync(), "is not believed to be the coordinator");
        // Eve's certificate, if she believed ours, would still be a stranger's to us.
        var mixed = NodeCredential.FromPem(
            File.ReadAllText(Path.Combine(other.FolderOf(ClusterRole.Operator), "node.pem")),
            NodeCredential.TrustPem(_root.Authority.Trusted()));
        using var bold = new ConvoyClient(host.Address, new CredentialSource(mixed, TimeProvider.System));
        await RefusedAsync(() => bold.StatusAsync(), "which this cluster does not trust");
    }

    [Fact]
    public async Task A_client_with_credentials_does_not_fall_back_to_plain()
    {
        await using var host = await CoordinatorHost.StartAsync(new CoordinatorOptions { StateDirectory = State });
        using var client = Operator(host);
        await RefusedAsync(() => client.StatusAsync(), "no TLS 1.3");
        using var plain = new ConvoyClient(host.Address);
        await RefusedAsync(() => plain.CreateTokenAsync(new TokenRequest()), "this coordinator is plain");
    }

    [Fact]
    public async Task Without_the_authority_nobody_new_is_admitted()
    {
        await using var host = await StartAsync(authority: false);
        using var client = Operator(host);
        await RefusedAsync(() => client.CreateTokenAsync(new TokenRequest()),
            "the cluster's authority is not on the coordinator's machine");
    }

    [Fact]
    public async Task A_running_coordinator_shows_its_renewed_certificate()
    {
        var clock = new AheadClock();
        var folder = _root.FolderOf(ClusterRole.Coordinator);
        await using var host = await CoordinatorHost.StartAsync(new CoordinatorOptions
        {
            StateDirectory = State, Log = _log,
            Security = new ServerSecurity
            { Credentials = new CredentialSource(folder, ClusterRole.Coordinator, clock) },
        });
        using var client = Operator(host);
        await client.StatusAsync(); // stays open over the renewal
        var before = await SerialAsync(host);
        _root.RenewLocal(Year, TimeProvider.System.GetUtcNow());
        File.SetLastWriteTimeUtc(Path.Combine(folder, "node.pem"), new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.Equal(before, await SerialAsync(host));
        clock.Ahead = TimeSpan.FromSeconds(2);
        Assert.NotEqual(before, await SerialAsync(host));
        await client.StatusAsync();
    }

    private static async Task<string> SerialAsync(CoordinatorHost host)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPEndPoint.Parse(host.Address));
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            { TargetHost = "convoy", RemoteCertificateValidationCallback = (_, _, _, _) => true });
        return tls.RemoteCertificate!.GetSerialNumberString();
    }

    /// <summary>Real time, and how far a test is ahead of it.</summary>
    private sealed class AheadClock : TimeProvider
    {
        public TimeSpan Ahead { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        // Stands still but for the test, so that nothing is looked at by chance.
        public override long GetTimestamp() => Ahead.Ticks;
    }

    private string State => Path.Combine(_folder, "state");

    private Task<CoordinatorHost> StartAsync(bool authority = true) => CoordinatorHost.StartAsync(new CoordinatorOptions
    {
        StateDirectory = State, Log = _log,
        Security = new ServerSecurity
        {
            Credentials = new CredentialSource(_root.FolderOf(ClusterRole.Coordinator), ClusterRole.Coordinator,
                TimeProvider.System),
            Authority = authority ? _root.Authority : null,
        },
    });

    private ConvoyClient Operator(CoordinatorHost host) =>
        new(host.Address,
            new CredentialSource(_root.FolderOf(ClusterRole.Operator), ClusterRole.Operator, TimeProvider.System));

    private async Task<JoinToken> TokenAsync(CoordinatorHost host)
    {
        using var client = Operator(host);
        Assert.True(JoinToken.TryParse((await client.CreateTokenAsync(new TokenRequest())).Token, out var token));
        return token;
    }

    private static Task<CertificateReply> JoinAsync(CoordinatorHost host, JoinToken token, string name,
        out KeyRequest key)
    {
        key = KeyRequest.Create();
        var request = new JoinRequest
        { TokenId = token.Id, Secret = token.Secret, Name = name, Request = key.Encode(name) };
        return SendAsync();

        async Task<CertificateReply> SendAsync()
        {
            using var stranger = ConvoyClient.OfStranger(host.Address, null, TimeProvider.System);
            return await stranger.JoinAsync(request);
        }
    }

    private static CredentialSource SourceOf(CertificateReply reply, KeyRequest key) =>
        new(NodeCredential.FromPem($"{reply.CertificatePem}\n{key.KeyPem}", reply.TrustPem), TimeProvider.System);

    private static async Task RefusedAsync<T>(Func<Task<T>> call, string says)
    {
        var refused = await Assert.ThrowsAsync<UserException>(call);
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private sealed class LinesLog : ILogSink
    {
        private readonly List<string> _lines = [];

        public List<string> Lines
        {
            get
            {
                lock (_lines) return [.. _lines];
            }
        }

        public void Write(LogLevel level, string source, string text, Exception? exception = null)
        {
            lock (_lines) _lines.Add($"{source}: {text} {exception?.Message}");
        }
    }
}
