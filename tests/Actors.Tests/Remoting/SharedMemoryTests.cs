using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.SharedMemory;
using Convoy.Shared.Ids;

namespace Convoy.Actors.Tests.Remoting;

public sealed class SharedMemoryTests // DIST-07
{
    private static readonly RingKey Key = new(1, 2, 3, 4);

    [Fact]
    public async Task Nothing_of_a_ring_has_a_name_once_both_ends_use_it_and_nothing_is_left_at_the_end()
    {
        using var folder = new TempFolder();
        await using (var a = await StartAsync("a", folder.Path))
        {
            await using var b = await StartAsync("b", folder.Path);
            a.Join(b);
            Assert.Contains(b.LogLines, l => l.Contains("bulk over shared memory", StringComparison.Ordinal));
            Assert.All(folder.Files, f => Assert.EndsWith(".lease", f, StringComparison.Ordinal));
            Assert.Equal(2, folder.Files.Count);
        }

        Assert.Empty(folder.Files);
    }

    [Fact]
    public async Task A_peer_that_cannot_see_the_file_stays_on_its_socket()
    {
        using var folder = new TempFolder();
        await using var a = await StartAsync("a", folder.Path);
        await using var b = await Node.StartAsync("b", o => o with { SharedMemory = false });
        a.Join(b); // b accepts and offers nothing
        b.Join(a); // b dials and asks for nothing
        Assert.DoesNotContain(a.LogLines, l => l.Contains("shared memory", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lost_bell_is_a_lost_lane_and_the_link_comes_back_with_a_new_ring()
    {
        using var folder = new TempFolder();
        await using var a = await StartAsync("a", folder.Path);
        await using var b = await StartAsync("b", folder.Path);
        await using var wire = new Wire(b.Remoting.Address);
        var peer = a.Remoting.Connect(wire.Address, a.Links.Ref);
        a.Links.ExpectMsg<LinkUp>();
        b.Links.ExpectMsg<LinkUp>();
        wire.CutAll();
        bool BothLanesWereLostAndAreBack() => peer.State == LinkState.Up
            && a.LogLines.Count(l => l.Contains("a connection was lost", StringComparison.Ordinal)) == 2;
        Assert.True(SpinWait.SpinUntil(BothLanesWereLostAndAreBack, TimeSpan.FromSeconds(20)));
        var done = new Completion();
        Assert.True(peer.TrySendBulk(BulkSink.Header(9), new byte[3 << 20], done));
        Assert.Equal(9, b.Bulk.Expect<BulkSink.Frame>().Header.Step.Value);
        Assert.True(done.Expect());
        Assert.All(folder.Files, f => Assert.EndsWith(".lease", f, StringComparison.Ordinal));
    }

    [Fact]
    public void The_next_start_deletes_what_killed_processes_left_and_nothing_of_the_living()
    {
        using var folder = new TempFolder();
        using var living = SharedFolder.Open(folder.Path, new Incarnation(0xA));
        File.WriteAllText(living!.NextRing(), "");
        foreach (var left in (string[])["000000000000000b.lease", "000000000000000b-1.ring", "000000000000000c-7.ring"])
            File.WriteAllText(Path.Combine(folder.Path, left), "");
        using (SharedFolder.Open(folder.Path, new Incarnation(0xD)))
            Assert.Equal(["000000000000000a-1.ring", "000000000000000a.lease", "000000000000000d.lease"], folder.Files);
        living.Dispose();
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void A_folder_that_others_may_write_to_is_not_used()
    {
        if (OperatingSystem.IsWindows()) return; // the rights there are those of the temporary folder
        using var folder = new TempFolder();
        File.SetUnixFileMode(folder.Path, File.GetUnixFileMode(folder.Path) | UnixFileMode.OtherWrite);
        Assert.Null(SharedFolder.Open(folder.Path, new Incarnation(1)));
    }

    [Fact]
    public void A_ring_of_somebody_else_or_of_another_generation_is_not_mapped()
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "x.ring");
        var secret = LocalSecret.New();
        using var ring = SharedRing.Create(path, Key, secret, 4_096);
        Assert.Null(SharedRing.Open(path, Key with { Generation = 5 }, secret));
        Assert.Null(SharedRing.Open(path, Key with { Owner = 9 }, secret));
        Assert.Null(SharedRing.Open(path, Key, LocalSecret.New()));
        Assert.False(ring.IsProvedBy(secret, Key));
        using (var other = SharedRing.Open(path, Key, secret))
        {
            Assert.True(ring.IsProvedBy(secret, Key));
            Assert.False(ring.IsProvedBy(secret, Key with { Link = 8 }));
            ring.Head(toOwner: true) = 77;
            Assert.Equal(77, other!.Head(toOwner: true));
            ring.Data(toOwner: false)[4_095] = 8;
            Assert.Equal(8, other.Data(toOwner: false)[4_095]);
            Assert.Equal(0, other.Data(toOwner: true)[4_095]);
        }

        File.WriteAllBytes(path + "2", new byte[30]);
        Assert.Null(SharedRing.Open(path + "2", Key, secret));
    }

    private static Task<Node> StartAsync(string name, string folder) =>
        Node.StartAsync(name, o => o with { SharedMemoryFolder = folder });
}
