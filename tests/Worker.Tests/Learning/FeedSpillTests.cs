using System.Runtime.InteropServices;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;

namespace Convoy.Worker.Tests.Learning;

/// <summary>J5 at the learner: what memory has no room for waits on disk, bounded, and never comes back as other
/// numbers (S4).</summary>
public sealed class FeedSpillTests
{
    private const string Folder = "/scratch/w3";
    private const int Elements = 3 * 4_096;
    private readonly MemoryDisk _disk = new();

    private FeedSpill Spill(long bytesMax = 1 << 20) => new(_disk, Folder, bytesMax);

    private static StepNumber Step(long step) => new(step);

    private static string? Add(FeedSpill spill, long step, int block, int blocks = 1)
    {
        var numbers = new float[blocks * 4_096];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = Number(step, (block * 4_096) + i);
        return spill.Add(new FeedHeader(Step(step), default, block * 4_096, numbers.Length),
            MemoryMarshal.AsBytes<float>(numbers));
    }

    private static float Number(long step, int element) => (step * 100_000) + element;

    [Fact]
    public void Pieces_in_any_order_come_back_where_they_belong()
    {
        using var real = new RealFolder();
        foreach (var spill in new[] { Spill(), new FeedSpill(RealDisk.Instance, real.Path, 1 << 20) })
        {
            foreach (var (step, block) in new[] { (8L, 2), (7L, 1), (8L, 0), (7L, 1), (7L, 0), (8L, 1), (7L, 2) })
                Assert.Null(Add(spill, step, block));
            foreach (var step in new[] { 7L, 8L })
            {
                var into = new PinnedVector(Elements);
                Assert.Null(spill.Read(Step(step), into));
                for (var i = 0; i < Elements; i++) Assert.Equal(Number(step, i), into.Span[i]);
            }

            Assert.False(spill.Holds(Step(9)));
            spill.Forget(Step(7));
            Assert.False(spill.Holds(Step(7)));
            Assert.Equal(Elements * sizeof(float), spill.Bytes);
            spill.Clear();
            Assert.Equal(0, spill.Bytes);
        }

        Assert.Empty(_disk.List("/scratch"));
        Assert.False(Directory.Exists(real.Path));
    }

    [Fact]
    public void The_bound_refuses_with_its_bytes_and_room_comes_back()
    {
        var spill = Spill(bytesMax: 2 * 4_096 * sizeof(float));
        Assert.Null(Add(spill, 5, 0));
        Assert.Null(Add(spill, 6, 0));
        Assert.Equal("32768 bytes of 2 steps wait on disk, 32768 may", Add(spill, 6, 1));
        spill.Forget(Step(5));
        Assert.Null(Add(spill, 6, 1));
    }

    [Fact]
    public void A_disk_that_fails_a_write_takes_nothing_more_until_it_is_cleared()
    {
        var spill = Spill();
        Assert.Null(Add(spill, 5, 0));
        _disk.FailAt = _disk.Operations + 1; // half of the piece is in the file
        Assert.Contains("No space left on device", Add(spill, 5, 1), StringComparison.Ordinal);
        Assert.Contains("No space left on device", Add(spill, 6, 0), StringComparison.Ordinal);
        spill.Clear();
        Assert.Null(Add(spill, 6, 0));
        Assert.Null(spill.Read(Step(6), new PinnedVector(Elements)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_that_is_not_what_was_written_is_refused(bool cut)
    {
        var spill = Spill();
        Assert.Null(Add(spill, 5, 0, blocks: 3));
        if (cut) _disk.Truncate($"{Folder}/step-5", 100);
        else _disk.Damage($"{Folder}/step-5", 20_000);
        Assert.Contains("step-5", spill.Read(Step(5), new PinnedVector(Elements)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_killed_worker_left_behind_goes()
    {
        Assert.Null(Add(Spill(), 5, 0));
        var next = Spill();
        Assert.Null(Add(next, 9, 0));
        Assert.Equal(["step-9"], _disk.List(Folder));
    }

    private sealed class RealFolder : IDisposable
    {
        private readonly string _parent = Directory.CreateTempSubdirectory("convoy-spill-").FullName;

        public string Path => System.IO.Path.Combine(_parent, "feed");

        public void Dispose() => Directory.Delete(_parent, recursive: true);
    }
}
