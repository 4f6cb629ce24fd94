using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;

namespace Convoy.Coordinator.Tests.Recovery;

// L7, S5: a leader that finds what orphans saved goes on from it, with its rows.
public sealed class TakenOverTests
{
    private readonly MemoryDisk _disk = new();

    [Theory]
    [InlineData(4, false, 9)]
    [InlineData(4, true, 4)]  // damaged: whoever knows these steps reports them, or nobody
    [InlineData(9, false, 9)] // nothing is missing: no row is looked at
    public void The_state_of_orphans_comes_with_their_rows(long durable, bool damaged, long lastRow)
    {
        var job = new JobSpec
        {
            Job = "digits", Model = new ModelSpec { Layers = [2, 3] }, Data = new DataSpec { Path = ["/d.csv"] },
            Steps = 20,
        };
        var store = new CheckpointStore("/state/checkpoints", _disk) { Writer = "w1" };
        var (step, generation) = (new StepNumber(9), new Generation(1));
        var report = new StepReport { Generation = 1 };
        for (var t = 5; t <= 9; t++) report.Rows.Add(new StepRow { Step = t });
        var shard = store.WriteShard(step, generation, 0, 1, []);
        store.WriteRows(step, generation, new SavedRows(1, 40, [report]));
        var place = store.Publish(new Manifest
        {
            Step = 9, Generation = 1, Fingerprint = new Fingerprint(7).ToString(), Seed = 1, Job = job,
            GraphSha256 = "aa", DataSha256 = "bb", Optimizer = "sgd", Shards = [shard],
        });
        if (damaged) _disk.Damage(place.Path + "/" + SavedRows.FileName, 50);
        var history = new JobHistory();
        history.Apply(new JobSubmitted("digits-1", System.Text.Encoding.UTF8.GetString(JobJson.Write(job)), "aa",
            StepNumber.Zero, null, [1]));
        var journal = new MemoryJournal(TimeProvider.System);
        var control = new ControlJournal(journal, journal.TryAcquire("test", TimeSpan.FromSeconds(3)).Lease!);

        var found = TakenOver.Of(history, control, store,
            new CoordinatorOptions { StateDirectory = "/state" }, new StepNumber(durable))!.Description;

        Assert.Equal((9, lastRow), (found.Origin.Step.Value, found.LastRow.Value));
        Assert.Equal(durable < 9 && !damaged, found.Rows is not null);
    }
}
