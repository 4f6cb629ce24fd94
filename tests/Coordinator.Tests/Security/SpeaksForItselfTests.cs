using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Security;
using Convoy.Actors.TestKit;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Security;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Security;

namespace Convoy.Coordinator.Tests.Security;

// Workers know each other's numbers; names are proved by certificates. Nobody speaks for another.
public sealed class SpeaksForItselfTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-speaks-").FullName;
    private readonly CredentialRoot _root;
    private readonly TestKit _kit = new(virtualTime: false) { DefaultTimeout = TimeSpan.FromSeconds(20) };

    public SpeaksForItselfTests()
    {
        _root = new CredentialRoot(Path.Combine(_folder, "credentials"));
        _root.Init([], "ann", TimeSpan.FromDays(1), TimeProvider.System.GetUtcNow());
    }

    [Fact]
    public async Task A_worker_takes_neither_the_place_nor_the_name_of_another()
    {
        await using var host = await CoordinatorHost.StartAsync(new CoordinatorOptions
        {
            StateDirectory = Path.Combine(_folder, "state"),
            Security = new ServerSecurity
            {
                Credentials = new CredentialSource(_root.FolderOf(ClusterRole.Coordinator), ClusterRole.Coordinator,
                    TimeProvider.System),
            },
        });
        await using var w0 = await WorkerAsync("w0", incarnation: 7);
        var probe = _kit.CreateTestProbe("w0");
        Greet(w0, host, probe, "w0", 7);
        probe.FishForMessage<Welcome>();

        // The incarnation of w0 under the certificate of w1: the link is closed again.
        await using var thief = await WorkerAsync("w1", incarnation: 7);
        var other = _kit.CreateTestProbe("w1");
        Greet(thief, host, other, "w1", 7);
        other.FishForMessage<LinkDown>();

        // The name of w0 under the certificate of w2: not heard.
        await using var liar = await WorkerAsync("w2", incarnation: 9);
        var third = _kit.CreateTestProbe("w2");
        Greet(liar, host, third, "w0", 9);
        Assert.True(SpinWait.SpinUntil(() =>
            host.Status.Events.Any(e => e.Contains("names another process", StringComparison.Ordinal)), Limit));
        var worker = Assert.Single(host.Status.Workers);
        Assert.Equal(("w0", 1), (worker.Name, worker.Pid));
    }

    private static void Greet(Remoting worker, CoordinatorHost host, TestProbe probe, string name, ulong incarnation)
    {
        worker.Register("node", probe.Ref);
        var peer = worker.Connect(host.Address, probe.Ref);
        probe.FishForMessage<LinkUp>();
        peer.Actor("coordinator").Tell(
            new Hello
            {
                WorkerName = name, Incarnation = incarnation, Host = "h", Pid = 1, PeerAddress = worker.Address,
                DeviceKind = "k", StateStep = -1
            },
            probe.Ref);
    }

    private async Task<Remoting> WorkerAsync(string name, ulong incarnation)
    {
        using var authority = _root.Authority.Open();
        var pem = authority.IssueWithKey(new NodeIdentity(ClusterRole.Worker, name), [], TimeSpan.FromDays(1),
            TimeProvider.System.GetUtcNow());
        var credential = NodeCredential.FromPem(pem, NodeCredential.TrustPem([authority.Certificate]));
        return await Remoting.StartAsync(_kit.Sys, new RemotingOptions
        {
            NodeName = name, Incarnation = new Incarnation(incarnation), BuildId = BuildId.Current,
            Security = new LinkSecurity
            {
                Credentials = new CredentialSource(credential, TimeProvider.System),
                Expects = _ => ClusterRole.Coordinator,
            },
        });
    }

    public void Dispose()
    {
        _kit.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
