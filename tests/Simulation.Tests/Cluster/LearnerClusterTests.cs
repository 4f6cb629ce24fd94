using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Convoy.Actors.Remoting;
using Convoy.Actors.Simulation;
using Convoy.Cli.Simulation;
using Convoy.Cli.Simulation.Checkers;
using Convoy.Shared.Protocol;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>
/// FT-02, R5, R25, J1 to J6: workers that come back become level while the others train. Every state that any of them
/// applies is compared with the reference, to the bit, by the checkers of every run.
/// </summary>
public sealed partial class LearnerClusterTests
{
    private static SimulationPlan Plan(ulong seed, int stepMs = 400, int steps = 60) =>
        SimulationPlan.Of(seed, new SimulationChoice { Workers = 3, Steps = steps, Faults = [] }) with
        {
            StepTime = TimeSpan.FromMilliseconds(stepMs),
            LargeModel = true,
            Faults = [new Fault(1, FaultKind.Kill, TimeSpan.FromMilliseconds(3_000 + (int)(seed * 37 % 800)),
                TimeSpan.Zero, 2, 0, 0)],
        };

    private static (SimulatedCluster Cluster, List<string> Trace) Run(SimulationPlan plan, Plants plants)
    {
        var trace = new List<string>();
        var cluster = new SimulatedCluster(plan, plants, trace.Add);
        cluster.Run();
        Assert.True(cluster.Violation is null, $"seed {plan.Seed}: {cluster.Violation}");
        return (cluster, trace);
    }

    private static int Count(List<string> trace, string text) =>
        trace.Count(l => l.Contains(text, StringComparison.Ordinal));

    // The joiner comes at any instant of a step; its copy is of a boundary, and it joins without a transfer.
    [Fact]
    public void Joins_at_many_instants_end_without_a_transfer_at_the_fence()
    {
        var (level, copied) = (0, 0);
        var late = new List<ulong>();
        for (ulong seed = 1; seed <= 12; seed++)
        {
            var (_, trace) = Run(Plan(seed), Plants.None);
            var became = Count(trace, "learns: Level");
            if (became == 0) late.Add(seed);
            level += became;
            copied += Count(trace, "LoadSnapshot");
        }

        Assert.True(level >= 12 && late.Count == 0, $"{level} became level, not so in seeds {string.Join(' ', late)}");
        Assert.True(copied == 0, $"{copied} joiners copied while the members stood");
    }

    // A member that leaves owes a joiner its part of the start state, and takes it along. Who has it too computes by
    // then, for longer than members wait for a joiner: its device has no time, its trainer has (found by seed 74717).
    [Fact]
    public void J4_a_missing_piece_comes_while_its_source_computes()
    {
        var asked = 0;
        foreach (var drainAtMs in Enumerable.Range(0, 16).Select(i => 24_000 + (500 * i)))
        {
            var plan = Plan(3, stepMs: 4_000, steps: 16) with { Workers = 4 };
            plan = plan with
            {
                Faults =
                [
                    .. plan.Faults,
                    new Fault(2, FaultKind.Drain, TimeSpan.FromMilliseconds(drainAtMs), TimeSpan.Zero, 1, 0, 0),
                ],
            };
            var (drains, leaves) = (false, new StrongBox<bool>());
            var (_, trace) = Run(plan, new Plants
            {
                Tamper = (from, _, message) =>
                {
                    drains |= message is Drain && from == "w2";
                    leaves.Value |= drains && message is (Fence or Cast { Fence: not null });
                    return message;
                },
                Bulk = receiver => new LosesFeed(receiver, "w2", leaves),
            });
            asked += Count(trace, "NeedChunks {");
            Assert.DoesNotContain(trace, l => l.Contains("did not reach state", StringComparison.Ordinal));
        }

        Assert.True(asked > 0, "no joiner missed a piece");
    }

    /// <summary>What one worker feeds while it leaves does not arrive.</summary>
    private sealed class LosesFeed(IBulkReceiver inner, string from, StrongBox<bool> leaves) : IBulkReceiver
    {
        public Memory<byte> Rent(Peer peer, in BulkHeader header) =>
            leaves.Value && header.Kind == BulkKind.Feed && $"{peer}".Contains(from, StringComparison.Ordinal)
                ? default : inner.Rent(peer, header);

        public void Received(Peer peer, in BulkHeader header, Memory<byte> payload) =>
            inner.Received(peer, header, payload);

        public void Damaged(Peer peer, in BulkHeader header, string why) => inner.Damaged(peer, header, why);

        public void Return(Memory<byte> rented) => inner.Return(rented);
    }

    // Scenario 6, a part of `convoy sim --faults join --workers 2 --seeds 1..10000`: the instants are the seeds' own.
    [Fact]
    public void Whoever_joins_at_any_instant_copies_a_boundary_and_comes_to_the_same_bits()
    {
        var choice = new SimulationChoice { Workers = 2, Faults = [FaultKind.Join], Standby = false };
        var results = SimulationRun.RunAll(1, 200, choice, Environment.ProcessorCount, static _ => { },
            TestContext.Current.CancellationToken);
        foreach (var result in results) Assert.True(!result.Failed, $"seed {result.Seed}: {result.Violation}");
        var joins = results.Aggregate(default(JoinCounts), static (sum, r) => sum + r.Joins);
        Assert.True(joins is { Copies: >= 200, Level: >= 180 }, $"{joins}");
    }

    // What a step takes before, while and after one more worker learns and joins (FT-02, J4, J6).
    [Fact]
    public void Members_step_as_fast_while_one_more_learns()
    {
        var plan = Plan(9) with
        {
            Workers = 2,
            Faults = [new Fault(1, FaultKind.Join, TimeSpan.FromSeconds(6), TimeSpan.Zero, 0, 0, 0)],
        };
        var (_, trace) = Run(plan, Plants.None);
        var copies = TimeOf(trace.Find(l => l.Contains("SnapAsk", StringComparison.Ordinal))!);
        var joins = TimeOf(trace.Find(l => l.Contains("fencing_started", StringComparison.Ordinal)
            && l.Contains("join w3", StringComparison.Ordinal))!);
        var times = StepTimes(trace, "w1");
        var before = times.Where(t => t.End < copies).Select(t => t.Length).ToList();
        var during = times.Where(t => t.End > copies && t.End < joins).Select(t => t.Length).ToList();
        Assert.True(before.Count >= 5 && during.Count >= 3, $"{before.Count} steps before, {during.Count} during");
        Assert.True(during.Average() <= before.Average() * 1.02,
            $"{during.Average():0.00} ms while it learns, {before.Average():0.00} ms before");
        // One boundary is longer: the words of the change travel, nothing else does.
        var change = times.Where(t => t.End > joins).Select(t => t.Length).Take(3).Max();
        Assert.True(change <= before.Average() + 100, $"{change:0.00} ms at the change");
    }

    // Scenario 5: the joiner's link has 1 MB/s and it stops reading; nobody else notices.
    [Fact]
    public void A_joiner_that_stops_reading_costs_the_members_nothing()
    {
        var stopped = "";
        SimulatedCluster? running = null;
        var (cluster, trace) = Run(Plan(5), new Plants
        {
            Begin = c =>
            {
                running = c;
                c.Network.BytesPerSecondInto["w3"] = 1e6;
            },
            Tamper = (from, _, message) =>
            {
                if (message is not SnapGet || stopped.Length > 0) return message;
                stopped = from;
                running!.World.After(null, TimeSpan.FromMilliseconds(30),
                    () => running.Workers.Single(w => w.Process.Host == stopped).Process.Stop());
                return message;
            },
        });

        Assert.Equal("w3", stopped);
        Assert.Equal(cluster.Plan.Steps, cluster.Rows().Count);
        Assert.True(Count(trace, "is fed no more: it took no frame for 5 s") > 0, "the transfer has a deadline");
        // From the survivors' fence to the deadline: no step is longer than the longest that a lone pair has.
        var at = trace.FindIndex(l => l.Contains("SnapGet", StringComparison.Ordinal));
        var times = StepTimes(trace, "w1");
        var begin = TimeOf(trace[at]);
        var during = times.Where(t => t.End > begin && t.End < begin + 6_000).Select(t => t.Length).ToList();
        var after = times.Where(t => t.End > begin + 7_000).Select(t => t.Length).ToList();
        Assert.True(during.Count >= 8 && after.Count >= 8, $"{during.Count} steps and {after.Count}");
        Assert.True(during.Max() <= after.Max() * 1.02, $"{during.Max():0} ms against {after.Max():0} ms");
    }

    // J5: steps that come while a slow link brings the copy wait on disk, and lead to the same bits.
    [Fact]
    public void Steps_that_memory_has_no_room_for_wait_on_disk()
    {
        var (spilled, level) = (0, 0);
        for (ulong seed = 1; seed <= 4; seed++)
        {
            var (cluster, trace) = Run(Plan(seed) with { Network = Slow }, Plants.None);
            spilled += Count(trace, "steps wait in /scratch/w3");
            level += Count(trace, "learns: Level");
            Assert.Equal(cluster.Plan.Steps, cluster.Rows().Count);
        }

        Assert.True(spilled >= 1 && level >= 4, $"{spilled} times on disk, {level} became level");
    }

    private static NetworkQuality Slow => new()
    {
        LatencyMin = TimeSpan.FromMicroseconds(200), LatencyMax = TimeSpan.FromMilliseconds(1), BytesPerSecond = 2.5e6,
    };

    // Scenario 7: a donor dies while it sends; a joiner dies between its copy and the first step it applies.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Donors_and_joiners_may_die_in_the_middle(bool donor)
    {
        var (killed, level) = (0, 0);
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var done = false;
            SimulatedCluster? running = null;
            var (cluster, trace) = Run(Plan(seed, stepMs: 300, steps: 110), new Plants
            {
                Begin = c => running = c,
                Tamper = (from, to, message) =>
                {
                    var now = donor ? message is SnapGet : message is LearnerReport { Phase: LearnerPhase.Replaying };
                    if (!now || done) return message;
                    done = true;
                    var victim = donor ? to : from;
                    running!.World.After(null, TimeSpan.FromMilliseconds(1), () =>
                    {
                        if (running.Workers.FirstOrDefault(w => w.Process.Host == victim) is { } worker)
                            running.OnWorkerEnded(worker, 137, "kill -9 during a load");
                    });
                    return message;
                },
            });
            killed += Count(trace, "kill -9 during a load");
            level += Count(trace, "learns: Level");
            Assert.Equal(cluster.Plan.Steps, cluster.Rows().Count);
        }

        Assert.Equal(5, killed);
        Assert.True(level >= 5, $"{level} became level");
    }

    private static List<(double End, double Length)> StepTimes(List<string> trace, string host)
    {
        var ends = trace.Where(l => Applied().IsMatch(l) && l.Contains($" {host} applied", StringComparison.Ordinal))
            .Select(TimeOf).ToList();
        return [.. ends.Zip(ends.Skip(1), (a, b) => (b, b - a))];
    }

    private static double TimeOf(string line) =>
        double.Parse(line.TrimStart().Split(' ')[0], CultureInfo.InvariantCulture);

    [GeneratedRegex(" w[0-9]+ applied step [0-9]+")]
    private static partial Regex Applied();
}
