using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Random;
using Convoy.Shared.Storage;

namespace Convoy.Shared.Tests.Checkpoints;

// R9: after a crash at every write, rename and fsync the previous or the new checkpoint loads, never an error (CK-2).
public sealed class CheckpointCrashTests
{
    private const string Root = "/state/checkpoints";

    [Fact]
    public void A_crash_at_any_operation_of_a_save_leaves_the_previous_or_the_new_checkpoint() =>
        CrashEverywhere(store => CheckpointStoreTests.Save(store, 1), store => CheckpointStoreTests.Save(store, 2),
            before: 1, after: 2);

    [Fact]
    public void A_crash_while_old_checkpoints_are_deleted_leaves_the_newest() =>
        CrashEverywhere(
            store =>
            {
                for (var step = 1; step <= 3; step++) CheckpointStoreTests.Save(store, step);
            },
            store => store.KeepLast(1), before: 3, after: 3);

    [Fact]
    public void A_crash_while_a_checkpoint_of_the_same_step_is_replaced_leaves_one_of_the_two()
    {
        // The same step with another history: a redone step cannot do that, a job changed by hand can.
        CrashEverywhere(
            store => CheckpointStoreTests.Save(store, 2),
            store =>
            {
                var shard = store.WriteShard(new StepNumber(2), new Generation(2), 0, 1, []);
                store.Publish(CheckpointStoreTests.Draft(2, 2, [shard]) with { Seed = 8 });
            },
            before: 2, after: 2);
    }

    [Fact]
    public void A_full_disk_at_any_operation_leaves_the_previous_checkpoint_and_a_later_save_works()
    {
        var total = Count(store => CheckpointStoreTests.Save(store, 1), store => CheckpointStoreTests.Save(store, 2));
        for (var at = 1; at <= total; at++)
        {
            var disk = new MemoryDisk();
            var store = new CheckpointStore(Root, disk);
            CheckpointStoreTests.Save(store, 1);
            disk.FailAt = disk.Operations + at;
            try
            {
                CheckpointStoreTests.Save(store, 2);
            }
            catch (IOException)
            {
                Assert.InRange(new CheckpointStore(Root, disk).NewestGood()!.Manifest.Step, 1, 2);
            }

            store.Recover(new Generation(9));
            CheckpointStoreTests.Save(store, 3, generation: 9);
            Assert.Equal(3, new CheckpointStore(Root, disk).NewestGood()!.Manifest.Step);
        }
    }

    private static int Count(Action<CheckpointStore> prepare, Action<CheckpointStore> act)
    {
        var disk = new MemoryDisk();
        var store = new CheckpointStore(Root, disk);
        prepare(store);
        var from = disk.Operations;
        act(store);
        return disk.Operations - from;
    }

    private static void CrashEverywhere(Action<CheckpointStore> prepare, Action<CheckpointStore> act, long before,
        long after)
    {
        var total = Count(prepare, act);
        Assert.True(total > 5);
        for (var at = 1; at <= total + 1; at++)
            for (var seed = 0ul; seed < 12; seed++) CrashAt(prepare, act, before, after, at, seed);
    }

    private static void CrashAt(Action<CheckpointStore> prepare, Action<CheckpointStore> act, long before, long after,
        int at, ulong seed)
    {
        var disk = new MemoryDisk();
        prepare(new CheckpointStore(Root, disk));
        disk.StopAt = disk.Operations + at;
        var done = false;
        try
        {
            act(new CheckpointStore(Root, disk));
            done = true;
        }
        catch (DiskStoppedException)
        {
            // The crash.
        }

        disk.Restart(Chooser(seed));
        var store = new CheckpointStore(Root, disk);
        store.Recover(new Generation(9));
        var newest = store.NewestGood();
        Assert.True(newest is not null, $"nothing loads after a crash at operation {at}, seed {seed}");
        Assert.True(newest.Manifest.Step == after
            || (!done && newest.Manifest.Step == before),
            $"step {newest.Manifest.Step} at operation {at}, seed {seed}");
        // What is listed is whole (CK-1), and the next save works on what the crash left.
        Assert.All(store.List(), place => Assert.Null(store.Verify(place.Path)));
        CheckpointStoreTests.Save(store, 7, generation: 9);
        Assert.Equal(7, CheckpointStoreTests.LoadWeights(store.NewestGood()!)[0]);
    }

    private static Func<int, int> Chooser(ulong seed)
    {
        var stream = new RandomStream(seed, RandomPurpose.Mask, 1);
        var next = 0L;
        // The first two seeds are the extremes: nothing unflushed survives, everything does.
        return n => seed == 0 ? 0 : seed == 1 ? (n == 4 ? 1 : n - 1) : (int)(stream.Word(next++) % (uint)n);
    }
}
