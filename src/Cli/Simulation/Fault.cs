using System.Globalization;
using Convoy.Actors.Simulation;

namespace Convoy.Cli.Simulation;

/// <summary>Names as they are written after <c>--faults</c>, in lower case.</summary>
internal enum FaultKind
{
    /// <summary>kill -9 of a worker; it is started again.</summary>
    Kill,
    /// <summary>A machine loses its power: nobody closes its connections; it comes back later.</summary>
    Power,
    /// <summary>SIGSTOP of a worker, then SIGCONT.</summary>
    Stop,
    /// <summary>Connections between two machines are reset: control, bulk or both.</summary>
    Cut,
    /// <summary>Nothing passes between two workers, both ways, for a while.</summary>
    Block,
    /// <summary>Nothing passes from one worker to another; the way back is open.</summary>
    OneWay,
    /// <summary>A worker and all others, the coordinator too, do not reach each other.</summary>
    Isolate,
    /// <summary>SIGTERM of a worker; another one comes in its place.</summary>
    Drain,
    /// <summary>The user asks for another number of workers.</summary>
    Scale,
    /// <summary>A worker's device is slow for a while.</summary>
    Slow,
    /// <summary>A worker's calendar clock jumps.</summary>
    Clock,
    /// <summary>The shared disk is full for a while.</summary>
    DiskFull,
    /// <summary>The storage server crashes and comes back: what was not flushed is lost, torn, or there.</summary>
    DiskCrash,
    /// <summary>Writing takes long.</summary>
    DiskSlow,
    /// <summary>The coordinator is killed and started again; the user submits the job again.</summary>
    LeaderKill,
    /// <summary>SIGSTOP of the coordinator, then SIGCONT.</summary>
    LeaderStop,
    /// <summary>A second coordinator takes the lease while the first still runs.</summary>
    Usurp,
    /// <summary>The network loses and duplicates much for a while.</summary>
    Loss,
    /// <summary>A worker's device does nothing for a while; the process speaks on (R1).</summary>
    Hang,
    /// <summary>One worker more comes, while members train. Only when it is asked for, once in a run.</summary>
    Join,
    /// <summary>A user stops a job, another one stops it too, it is scaled meanwhile, and goes on later with --resume.
    /// </summary>
    End,
}

/// <summary>One thing that goes wrong. Victims are numbers that are taken modulo the workers there are.</summary>
internal sealed record Fault(int Number, FaultKind Kind, TimeSpan At, TimeSpan Duration, int Victim,
    int Other, int Amount)
{
    private static readonly FaultKind[] Weighted =
    [
        FaultKind.Kill, FaultKind.Kill, FaultKind.Kill, FaultKind.Power, FaultKind.Stop, FaultKind.Stop, FaultKind.Cut,
        FaultKind.Cut, FaultKind.Block, FaultKind.OneWay, FaultKind.Isolate, FaultKind.Drain, FaultKind.Drain,
        FaultKind.Scale,
        FaultKind.Slow, FaultKind.Clock, FaultKind.DiskFull, FaultKind.DiskCrash, FaultKind.DiskSlow,
        FaultKind.LeaderKill,
        FaultKind.LeaderStop, FaultKind.Usurp, FaultKind.Loss,
    ];

    public static string NameOf(FaultKind kind) => kind.ToString().ToLowerInvariant();

    /// <summary>
    /// Faults of a seed: numbered from 1 in the order of their time, a hang last, whatever is kept of them.
    /// </summary>
    public static IReadOnlyList<Fault> Draw(SeededChoice choose, SimulationChoice choice, int workers, TimeSpan span)
    {
        var count = choose.Below(7);
        var drawn = new List<Fault>();
        for (var i = 0; i < count; i++)
        {
            var kind = Weighted[choose.Below(Weighted.Length)];
            var at = TimeSpan.FromMilliseconds(500) + (span * (choose.Below(1_000) / 1_000.0));
            var duration = TimeSpan.FromMilliseconds(50 + choose.Below(choose.Below(3) == 0 ? 8_000 : 1_500));
            // Half of the time a fault strikes soon after another one: in the middle of the recovery from it.
            if (drawn.Count > 0 && choose.Below(2) == 0)
                at = drawn[^1].At + TimeSpan.FromMilliseconds(choose.Below(1_200));
            drawn.Add(new Fault(0, kind, at, duration, choose.Below(workers), choose.Below(workers),
                choose.Below(1_000)));
        }

        drawn.Sort((a, b) => a.At.CompareTo(b.At));
        AddHang(choose.Branch(11), drawn, workers, span);
        if (choice.Faults?.Contains(FaultKind.Join) == true) drawn.Add(Join(choose.Branch(12), span));
        AddEnd(choose.Branch(14), drawn, span);
        return [.. drawn.Select((f, i) => f with { Number = i + 1 })
            .Where(f => choice.Faults?.Contains(f.Kind) != false && choice.Keep?.Contains(f.Number) != false)];
    }

    /// <summary>
    /// Drawn apart from the others, so that it moves none of them; long enough to be found by itself.
    /// </summary>
    private static void AddHang(SeededChoice choose, List<Fault> drawn, int workers, TimeSpan span)
    {
        if (choose.Below(6) != 0) return;
        var at = TimeSpan.FromMilliseconds(500) + (span * (choose.Below(1_000) / 1_000.0));
        drawn.Add(new Fault(0, FaultKind.Hang, at, TimeSpan.FromSeconds(5 + choose.Below(60)),
            choose.Below(workers), 0, 0));
    }

    /// <summary>Drawn apart too, and last.</summary>
    private static void AddEnd(SeededChoice choose, List<Fault> drawn, TimeSpan span)
    {
        if (choose.Below(8) != 0) return;
        drawn.Add(new Fault(0, FaultKind.End,
            TimeSpan.FromMilliseconds(500) + (span * (choose.Below(1_000) / 1_000.0)), TimeSpan.FromSeconds(8), 0,
            choose.Below(2), choose.Below(1_000)));
    }

    /// <summary>At any microsecond of the first half of the job, once the members are there.</summary>
    private static Fault Join(SeededChoice choose, TimeSpan span) => new(0, FaultKind.Join,
        TimeSpan.FromSeconds(1) + (span * (choose.Below(1_000_000) / 2_000_000.0)), TimeSpan.Zero, 0, 0, 0);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"fault {Number}: {NameOf(Kind)} w{Victim + 1} w{Other + 1} at {At.TotalSeconds:0.000} s for {Duration.TotalSeconds:0.000} s ({Amount})");
}
