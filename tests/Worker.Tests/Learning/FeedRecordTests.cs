using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;

namespace Convoy.Worker.Tests.Learning;

public sealed class FeedRecordTests
{
    [Theory]
    [InlineData(240, 3)]
    [InlineData(20_480, 7)]
    [InlineData(1_000_000, 4)]
    public void Parts_of_all_members_are_the_whole_vector(long elements, int members)
    {
        var at = 0L;
        for (var m = 0; m < members; m++)
        {
            var (from, end) = FeedRecord.PartOf(elements, m, members);
            Assert.Equal(at, from);
            Assert.True(end >= from && (end % Convoy.Shared.Limits.NormBlock == 0 || end == elements));
            at = end;
        }

        Assert.Equal(elements, at);
    }

    [Fact]
    public void What_is_cut_is_read_again()
    {
        var reduced = new PinnedVector(600_000);
        for (var i = 0; i < reduced.Length; i++) reduced.Span[i] = i;
        var records = new List<FeedRecord>();
        FeedRecord.Cut(records, new FeedMemory(), reduced, new StepNumber(9), new Fingerprint(77), 8_192, 600_000);
        Assert.Equal(3, records.Count);
        var at = 8_192L;
        foreach (var record in records)
        {
            Assert.Null(FeedHeader.TryRead(record.Content.Span, 600_000, out var header));
            Assert.Equal((9L, 77UL, at), (header.Step.Value, header.Fingerprint.Value, header.Offset));
            var floats = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(
                record.Content.Span[FeedHeader.Size..header.Bytes]);
            Assert.Equal(at, floats[0]);
            Assert.Equal(at + header.Count - 1, floats[^1]);
            at += header.Count;
        }

        Assert.Equal(600_000, at);
    }

    [Theory]
    [InlineData(0, 0, 10, "is no step")]
    [InlineData(5, 4_096, 0, "are not inside")]
    [InlineData(5, 100, 10, "is not on a border")]
    [InlineData(5, 8_192, 10, "are not inside")]
    [InlineData(5, 0, 100, "is not on a border")]
    [InlineData(5, 0, 4_096, "are not in 72 bytes")]
    [InlineData(5, 0, int.MaxValue, "are not inside")]
    public void A_piece_that_lies_is_refused_by_name(long step, long offset, int count, string why)
    {
        var bytes = new byte[FeedHeader.Size + 40];
        new FeedHeader(new StepNumber(step), default, offset, count).Write(bytes);
        Assert.Contains(why, FeedHeader.TryRead(bytes, 8_192, out _), StringComparison.Ordinal);
    }

    [Fact]
    public void Frames_of_a_copy_have_one_place_each()
    {
        var frames = new SnapshotFrames([20_480, 300, 0, 20_480]);
        var bytes = 0L;
        for (var f = 0; f < frames.Count; f++)
        {
            var (vector, offset, length) = frames.At(f);
            Assert.Equal(f, frames.Find(vector, offset, length * sizeof(float)));
            bytes += length * sizeof(float);
        }

        Assert.Equal(frames.Bytes, bytes);
        Assert.Equal(-1, frames.Find(4, 0, 16_384));
        Assert.Equal(-1, frames.Find(2, 0, 0));
        Assert.Equal(-1, frames.Find(0, 1, 16_384));
        Assert.Equal(-1, frames.Find(0, 0, 4));
    }
}
