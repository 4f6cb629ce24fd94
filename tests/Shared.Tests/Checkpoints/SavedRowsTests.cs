using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;

namespace Convoy.Shared.Tests.Checkpoints;

// S5: rows of steps that nobody led lie beside the state that was saved alone.
public sealed class SavedRowsTests
{
    private const string Root = "/state/checkpoints";
    private readonly MemoryDisk _disk = new();

    private Checkpoint SaveWithRows()
    {
        var store = new CheckpointStore(Root, _disk) { Writer = "w1" };
        var (step, generation) = (new StepNumber(9), new Generation(3));
        var shard = store.WriteShard(step, generation, 0, 1, []);
        store.WriteRows(step, generation, new SavedRows(2, 50, [Report(3, 7, 8), Report(4, 9)]));
        return store.Open(store.Publish(CheckpointStoreTests.Draft(9, 3, [shard])).Path);
    }

    private static StepReport Report(long generation, params long[] steps)
    {
        var report = new StepReport { Generation = generation };
        report.Rows.AddRange(steps.Select(s => new StepRow { Step = s, LossSum = s + 0.5, Samples = 4 }));
        return report;
    }

    [Fact]
    public void What_is_saved_is_read()
    {
        var rows = SaveWithRows().Rows()!;
        Assert.Equal((2, 50), (rows.Workers, rows.Samples));
        Assert.Equal([Report(3, 7, 8), Report(4, 9)], rows.Reports);
    }

    [Fact]
    public void A_checkpoint_of_a_coordinator_has_none()
    {
        var store = new CheckpointStore(Root, _disk);
        Assert.Null(store.Open(CheckpointStoreTests.Save(store, 3).Path).Rows());
    }

    [Fact]
    public void Every_byte_that_differs_is_seen_and_the_state_loads_all_the_same()
    {
        var checkpoint = SaveWithRows();
        var file = checkpoint.Path + "/" + SavedRows.FileName;
        using var stream = _disk.OpenRead(file);
        for (var at = 0; at < stream.Length; at++)
        {
            _disk.Damage(file, at);
            var e = Assert.Throws<UserException>(checkpoint.Rows);
            Assert.StartsWith(file, e.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', e.Message);
            _disk.Damage(file, at); // the same bit again: as it was
        }

        Assert.NotNull(checkpoint.Rows());
        _disk.Damage(file, 9);
        checkpoint.Verify();
    }

    [Fact]
    public void A_file_that_was_cut_is_no_rows()
    {
        var bytes = new SavedRows(1, 1, [Report(1, 1)]).Encode();
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<UserException>(() => SavedRows.Decode(new MemoryStream(bytes, 0, length), "/rows.bin"));
    }
}
