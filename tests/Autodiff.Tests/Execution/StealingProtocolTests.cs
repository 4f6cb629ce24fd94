using Convoy.Autodiff.Execution;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>PAR-02: who takes which task from whom, one call at a time.</summary>
public sealed class StealingProtocolTests
{
    [Fact]
    public void AThread_TakesItsMostUrgentTask_AndWhatItMadeReady()
    {
        // 0 and 1 are ready; 2 and 3 wait for 0, and 3 is more urgent.
        var protocol = New(1, [[2, 3], [], [], []], [0, 0, 1, 1], priority: [1, 2, 3, 9]);
        Assert.Equal(1, protocol.Take(0));
        Assert.Equal(0, protocol.Take(0));
        Assert.Null(protocol.Take(0));
        Assert.Equal(2, protocol.Left);
        Assert.True(protocol.Done(0, 0));
        Assert.False(protocol.Done(0, 1));
        Assert.Equal([3, 2], Drain(protocol, 0));
        Assert.Equal(new WorkerBalance(4, 4, 0, 2), protocol.Balance[0]);
    }

    [Fact]
    public void ATask_WaitsForAllThatItReads()
    {
        var protocol = New(2, [[2], [2], []], [0, 0, 2]);
        Assert.Equal(0, protocol.Take(0));
        Assert.Equal(1, protocol.Take(1));
        Assert.False(protocol.Done(0, 0));
        Assert.Null(protocol.Take(0));
        Assert.True(protocol.Done(1, 1));
        // It lies with thread 1, whose caches have an operand; thread 0 steals it.
        Assert.Equal(2, protocol.Take(0));
        Assert.Equal(1, protocol.Balance[0].Steals);
        Assert.Equal(0, protocol.Left);
    }

    // Thread 0 makes nothing; 1, 2 and 3 have 1, 3 and 2 tasks ready.
    [Theory]
    [InlineData(VictimSelection.MostLoaded, "2 2 3 1 2 3")]
    [InlineData(VictimSelection.RoundRobin, "1 2 3 2 3 2")]
    [InlineData(VictimSelection.LeastRecentlyUsed, "1 2 3 2 3 2")]
    public void Victims_AreChosenByTheRule(VictimSelection victims, string expected) =>
        Assert.Equal(expected, string.Join(' ', Robbed(victims, 1)));

    [Fact]
    public void RandomVictims_FollowTheSeed()
    {
        Assert.Equal(Robbed(VictimSelection.Random, 4), Robbed(VictimSelection.Random, 4));
        Assert.Contains(Enumerable.Range(1, 8), seed =>
            !Robbed(VictimSelection.Random, (ulong)seed).SequenceEqual(Robbed(VictimSelection.Random, 100)));
    }

    // WS-1, WS-2 over random graphs and turns: every task once, never before what it waits for, nobody idle in vain.
    [Theory]
    [InlineData(VictimSelection.Random)]
    [InlineData(VictimSelection.MostLoaded)]
    [InlineData(VictimSelection.LeastRecentlyUsed)]
    [InlineData(VictimSelection.RoundRobin)]
    public void EveryTask_RunsOnce_AfterWhatItWaitsFor(VictimSelection victims)
    {
        for (var seed = 1u; seed <= 20; seed++)
        {
            var state = seed * 2_654_435_761u;
            int Next(int below) => (int)((state = (state * 1_664_525) + 1_013_904_223) >> 8) % below;
            const int count = 40, workers = 4;
            var readers = Enumerable.Range(0, count).Select(_ => new List<int>()).ToArray();
            var waiting = new int[count];
            for (var task = 1; task < count; task++)
            {
                foreach (var input in Enumerable.Range(0, Next(3)).Select(_ => Next(task)).Distinct())
                {
                    readers[input].Add(task);
                    waiting[task]++;
                }
            }

            var cost = Enumerable.Range(0, count).Select(_ => (long)Next(50)).ToArray();
            var protocol = new StealingProtocol(
                new StealingTasks(readers, waiting, new long[count], cost), workers, victims, seed);
            var (ended, running) = (new HashSet<int>(), new List<(int Worker, int Task)>());
            while (ended.Count < count)
            {
                var worker = Next(workers);
                var at = running.FindIndex(r => r.Worker == worker);
                if (at >= 0)
                {
                    ended.Add(running[at].Task);
                    protocol.Done(worker, running[at].Task);
                    running.RemoveAt(at);
                }
                else if (protocol.Take(worker) is { } task)
                {
                    Assert.All(Enumerable.Range(0, count).Where(i => readers[i].Contains(task)),
                        i => Assert.Contains(i, ended));
                    running.Add((worker, task));
                }
                else Assert.True(protocol.Left == 0 || running.Count > 0, "WS-2");
            }

            Assert.Equal(count, protocol.Balance.Sum(b => b.Tasks));
            Assert.Equal(cost.Sum(c => Math.Max(1, c)), protocol.Balance.Sum(b => b.Work));
        }
    }

    private static List<int> Robbed(VictimSelection victims, ulong seed)
    {
        // Tasks 0 to 3 are ready at first, the largest is dealt first: thread i begins with task i.
        int[][] readers = [[], [4], [5, 6, 7], [8, 9], [], [], [], [], [], []];
        var protocol = new StealingProtocol(
            new StealingTasks(readers, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1], new long[10], [4, 3, 2, 1, 1, 1, 1, 1, 1, 1]),
            4, victims, seed);
        for (var worker = 0; worker < 4; worker++) Assert.Equal(worker, protocol.Take(worker));
        for (var worker = 0; worker < 4; worker++) protocol.Done(worker, worker);
        return [.. Drain(protocol, 0).Select(task => task switch { 4 => 1, <= 7 => 2, _ => 3 })];
    }

    private static List<int> Drain(StealingProtocol protocol, int worker)
    {
        var taken = new List<int>();
        while (protocol.Take(worker) is { } task) taken.Add(task);
        return taken;
    }

    private static StealingProtocol New(int workers, int[][] readers, int[] waiting, long[]? priority = null) =>
        new(new StealingTasks(readers, waiting, priority ?? new long[waiting.Length],
            [.. waiting.Select(_ => 1L)]), workers, VictimSelection.MostLoaded, 1);
}
