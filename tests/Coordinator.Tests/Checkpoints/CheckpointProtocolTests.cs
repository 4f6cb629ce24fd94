using Convoy.Coordinator.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Tests.Checkpoints;

// CKPT-03, CKPT-04: shards of all workers become one checkpoint, or none.
public sealed class CheckpointProtocolTests
{
    private readonly CheckpointProtocol _protocol = new(new ClockTable(), new StepNumber(-1));
    private Instant _now = new(1);

    private string Run(CheckpointInput input)
    {
        var outbox = new List<CheckpointEffect>();
        _protocol.Step(input, _now, outbox);
        return Text(outbox);
    }

    private static string Text(List<CheckpointEffect> effects) => string.Join("; ", effects.Select(e => e switch
    {
        PublishSave p => $"publish {p.Save.Step} {p.Save.Generation}",
        ClearSave c => $"clear {c.Step} {c.Generation}",
        SavePublished s => $"published {s.Step}",
        SaveIsOver o => $"over {o.Step} {o.Generation}{(o.Only is { } w ? $" for {w}" : "")}",
        SaveFailed f => $"failed {f.Text}",
        _ => e.ToString(),
    }));

    private static ShardReported Shard(int index, int count = 2, long step = 10, long g = 1, ulong h = 7) => new(
        new WorkerId(index + 1),
        new ShardSaved
        {
            Step = step, Generation = g, Index = index, Count = count, Fingerprint = h,
            File = $"shard-{index}"
        });

    private static ShardLost Failed(long step) => new(new WorkerId(2),
        new ShardFailed { Step = step, Generation = 1, Index = 1, Text = "disk full" });

    private static PublishDone Done(long step, long g) => new(new StepNumber(step), new Generation(g), $"step-{step}");

    [Fact]
    public void CP1_the_last_shard_publishes()
    {
        Assert.Equal("", Run(Shard(0)));
        Assert.Equal("", Run(Shard(0)));
        Assert.Equal("publish 10 g1", Run(Shard(1)));
        Assert.Equal("published 10; over 10 g1", Run(Done(10, 1)));
        Assert.Equal(10, _protocol.Published.Value);
    }

    [Fact]
    public void CP1_shards_of_two_generations_are_never_mixed()
    {
        Run(Shard(0));
        Assert.Equal("", Run(Shard(1, g: 2)));
        Assert.Equal("publish 10 g2", Run(Shard(0, g: 2)));
        Assert.Equal("published 10; over 10 g2; clear 10 g1; over 10 g1", Run(Done(10, 2)));
    }

    [Fact]
    public void CP2_what_comes_after_publication_is_cleared()
    {
        Run(Shard(0, count: 1));
        Run(Done(10, 1));
        Assert.Equal("clear 10 g2; over 10 g2 for w1", Run(Shard(0, g: 2)));
        Assert.Equal("clear 9 g1; over 9 g1 for w1", Run(Shard(0, step: 9)));
    }

    [Fact]
    public void CP3_a_failed_shard_gives_the_save_up_and_later_shards_change_nothing()
    {
        Run(Shard(0));
        var text = Run(Failed(10));
        Assert.Equal("clear 10 g1; failed the save of step 10 in g1 is given up: w2: disk full; over 10 g1", text);
        Assert.Equal("clear 10 g1; over 10 g1 for w2", Run(Shard(1))); // it wrote into the cleared folder
        Assert.Equal("publish 20 g1", Run(Shard(0, count: 1, step: 20)));
    }

    [Fact]
    public void CP3_a_failure_before_the_first_shard_counts_too()
    {
        Run(Failed(10));
        Assert.Equal("clear 10 g1; over 10 g1 for w1", Run(Shard(0)));
    }

    // CP-5: whoever tells its shard again, or fails late, hears that nothing waits for it.
    [Fact]
    public void CP5_every_end_of_a_save_is_told()
    {
        Run(Shard(0, count: 1));
        Run(Done(10, 1));
        Assert.Equal("over 10 g1 for w1", Run(Shard(0, count: 1)));
        Assert.Equal("over 10 g1 for w2", Run(Failed(10)));
        Run(Shard(0, step: 20));
        Assert.EndsWith("over 20 g1", Run(Failed(20)), StringComparison.Ordinal);
        Assert.Equal("over 20 g1 for w2", Run(Failed(20)));
    }

    [Fact]
    public void CP1_other_fingerprints_are_refused()
    {
        Run(Shard(0));
        Assert.Contains("saved another state", Run(Shard(1, h: 8)), StringComparison.Ordinal);
    }

    [Fact]
    public void CP3_a_late_save_names_its_missing_shards()
    {
        Run(Shard(0, count: 3));
        _now += TimeSpan.FromSeconds(61);
        var outbox = new List<CheckpointEffect>();
        _protocol.Tick(_now, outbox);
        Assert.Contains("shards 1, 2 of 3 did not come within 60 s", Text(outbox), StringComparison.Ordinal);
    }

    [Fact]
    public void CP3_a_publication_that_fails_costs_only_this_save()
    {
        Run(Shard(0, count: 1));
        Assert.Contains("given up: no space", Run(new PublishFailed(new StepNumber(10), new Generation(1), "no space")),
            StringComparison.Ordinal);
        Assert.Equal("publish 20 g1", Run(Shard(0, count: 1, step: 20)));
    }
}
