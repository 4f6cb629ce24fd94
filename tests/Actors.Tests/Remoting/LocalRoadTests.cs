using System.Diagnostics;
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.SharedMemory;
using Convoy.Actors.Tests.Remoting.Security;

namespace Convoy.Actors.Tests.Remoting;

// Which road a bulk lane takes between processes of one machine, and that nothing of it outlives them (DIST-07).
public sealed class LocalRoadTests : IDisposable
{
    private const string AddressVariable = "CONVOY_TEST_ADDRESS";
    private const string FolderVariable = "CONVOY_TEST_FOLDER";
    private const ulong ChildIncarnation = 0xC0FFEE;

    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData(true, true, true, true, "shared memory")]
    [InlineData(true, true, true, false, "shared memory")]
    [InlineData(false, true, true, true, "a Unix socket")]  // the dialler cannot map it
    [InlineData(true, true, false, true, "a Unix socket")]  // the acceptor has none to offer
    [InlineData(false, true, true, false, "TCP")]
    [InlineData(false, false, true, true, "TCP")]
    [InlineData(true, true, false, false, "TCP")]
    public async Task The_best_road_that_both_have_is_taken(bool memoryA, bool unixA, bool memoryB,
        bool unixB, string road)
    {
        await using var a = await StartAsync("a", memoryA, unixA);
        await using var b = await StartAsync("b", memoryB, unixB);
        var (here, there) = a.Join(b);
        AssertGoesOver(road, here, there, a, b);
    }

    [Theory] // the lane itself is TLS: what leaves it is proved by a secret that went through it
    [InlineData(true, "shared memory")]
    [InlineData(false, "TLS")]
    public async Task Under_TLS_the_roads_of_the_machine_are_taken_too(bool roads, string road)
    {
        using var cluster = new TestCluster();
        await using var a = await cluster.StartAsync("a", roads: roads, folder: _folder.Path);
        await using var b = await cluster.StartAsync("b", folder: _folder.Path);
        var (here, there) = a.Join(b);
        AssertGoesOver(road, here, there, a, b);
    }

    [Fact]
    public async Task Who_does_not_know_the_secret_gets_no_Unix_socket()
    {
        var key = new RingKey(1, 2, 3, 4);
        var (secret, other) = (LocalSecret.New(), LocalSecret.New());
        var cancel = TestContext.Current.CancellationToken;
        using (var listening = LocalSocket.Listen(Path.Combine(_folder.Path, "1-1.sock")))
        {
            Assert.NotNull(listening);
            var accepted = listening.AcceptAsync(secret, key, cancel);
            Assert.Null(await LocalSocket.DialAsync(listening.Path, other, key, cancel));
            Assert.Null(await accepted);
            accepted = listening.AcceptAsync(secret, key, cancel);
            Assert.Null(await LocalSocket.DialAsync(listening.Path, secret, key with { Generation = 5 }, cancel));
            Assert.Null(await accepted);
            accepted = listening.AcceptAsync(secret, key, cancel);
            using var there = await LocalSocket.DialAsync(listening.Path, secret, key, cancel);
            using var here = await accepted;
            Assert.Equal(("a Unix socket", "a Unix socket"), (here!.Kind, there!.Kind));
        }

        Assert.Empty(_folder.Files);
        Assert.Null(await LocalSocket.DialAsync(Path.Combine(_folder.Path, "1-1.sock"), secret, key, cancel));
    }

    [Fact] // R24: a process that is killed leaves nothing, neither to those that live nor to the next one
    public async Task A_killed_process_leaves_neither_memory_nor_names()
    {
        await using var b = await StartAsync("b", true, true);
        using var child = StartChild(b.Remoting.Address);
        try
        {
            b.Links.ExpectMsg<LinkUp>();
            Assert.Contains(b.LogLines, l => l.Contains("bulk over shared memory", StringComparison.Ordinal));
            string? line;
            do line = await child.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
            while (line is not null && line != "ready"); // the runner of tests says something first
            Assert.NotNull(line);
            Assert.Contains("0000000000c0ffee.lease", _folder.Files);
            // named, not agreed on yet
            Assert.Contains(_folder.Files, f => f.StartsWith("0000000000c0ffee-", StringComparison.Ordinal));
        }
        finally
        {
            child.Kill(); // -9
        }

        b.Links.ExpectMsg<LinkDown>();
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        using (SharedFolder.Open(_folder.Path, new Convoy.Shared.Ids.Incarnation(0xD)))
            Assert.DoesNotContain(_folder.Files, f => f.StartsWith("0000000000c0ffee", StringComparison.Ordinal));
        if (OperatingSystem.IsLinux())
            Assert.DoesNotContain(File.ReadLines("/proc/self/maps"),
                l => l.Contains(_folder.Path, StringComparison.Ordinal));
    }

    [Fact(Explicit = true)] // what the killed process does; started by the test above
    public async Task Child()
    {
        if (Environment.GetEnvironmentVariable(AddressVariable) is not { } address) return;
        var folder = Environment.GetEnvironmentVariable(FolderVariable)!;
        await using var a = await Node.StartAsync(
            "child", o => o with
            { SharedMemoryFolder = folder, Incarnation = new Convoy.Shared.Ids.Incarnation(ChildIncarnation) });
        a.Remoting.Connect(address, a.Links.Ref);
        a.Links.ExpectMsg<LinkUp>();
        // A ring whose handshake is under way has a name: the state in which a kill would leave something.
        using var named = SharedRing.Create(
            Path.Combine(folder, $"{ChildIncarnation:x16}-99.ring"), new RingKey(1, 2, 3, 4), LocalSecret.New(), 4_096);
        await using var output = Console.OpenStandardOutput();
        await output.WriteAsync("ready\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await output.FlushAsync(TestContext.Current.CancellationToken);
        a.Links.ExpectMsg<LinkDown>(); // or the end by -9
    }

    public void Dispose() => _folder.Dispose();

    private Process StartChild(string address)
    {
        var host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet"
            ? path : "dotnet";
        var start = new ProcessStartInfo(host) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var word in (string[])[
            typeof(LocalRoadTests).Assembly.Location, "-noColor", "-explicit", "only", "-method",
            $"{typeof(LocalRoadTests).FullName}.{nameof(Child)}"])
            start.ArgumentList.Add(word);
        start.Environment[AddressVariable] = address;
        start.Environment[FolderVariable] = _folder.Path;
        return Process.Start(start)!;
    }

    private Task<Node> StartAsync(string name, bool memory, bool unix) => Node.StartAsync(
        name, o => o with { SharedMemory = memory, UnixSockets = unix, SharedMemoryFolder = _folder.Path });

    /// <summary>Frames of all kinds pass both ways, and no name is left while the lane is in use.</summary>
    private void AssertGoesOver(string road, Peer here, Peer there, Node a, Node b)
    {
        foreach (var node in (Node[])[a, b])
            Assert.Contains(node.LogLines, l => l.Contains("bulk over " + road, StringComparison.Ordinal));
        foreach (var bytes in (int[])[0, 1, 16 << 10, (16 << 10) + 1, 100_000, 5_000_000])
        {
            var payload = new byte[bytes];
            for (var i = 0; i < bytes; i++) payload[i] = (byte)(i * 31 + (i >> 8));
            Assert.True(here.TrySendBulk(BulkSink.Header(bytes), payload));
            Assert.True(there.TrySendBulk(BulkSink.Header(bytes), payload));
            Assert.Equal(payload, b.Bulk.Expect<BulkSink.Frame>().Payload);
            Assert.Equal(payload, a.Bulk.Expect<BulkSink.Frame>().Payload);
        }

        Assert.All(_folder.Files, f => Assert.EndsWith(".lease", f, StringComparison.Ordinal));
    }
}
