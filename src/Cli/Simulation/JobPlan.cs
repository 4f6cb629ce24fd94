using Convoy.Actors.Simulation;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Simulation;

/// <summary>One job of a run as data.</summary>
/// <param name="Spec">What its user submits.</param>
/// <param name="LargeModel">A large gradient is reduced by owners, a small one directly by everybody.</param>
/// <param name="Samples">Of its data.</param>
/// <param name="Workers">The most that it makes use of.</param>
/// <param name="SubmittedAt">When its user submits it.</param>
internal sealed record JobPlan(JobSpec Spec, bool LargeModel, int Samples, int Workers, TimeSpan SubmittedAt)
{
    /// <summary>So many workers are enough for two jobs.</summary>
    private const int WorkersForTwo = 4;

    public int Steps => (int)Spec.Steps;
    public int Elements => LargeModel ? SimulatedModel.LargeElements : SimulatedModel.SmallElements;

    /// <summary>
    /// A second job beside the first, of another batch, another model and other data; null: there is none. Each uses
    /// about half of the workers, so that both can train at once.
    /// </summary>
    public static JobPlan? Beside(JobSpec first, int workers, SeededChoice choose, int? wanted)
    {
        var isShare = choose.Below(5) == 0;
        var two = wanted is { } count ? count == 2 && workers >= 2 : isShare && workers >= WorkersForTwo;
        if (!two) return null;
        var slices = first.Slices >> choose.Below(2);
        while (slices < workers / 2) slices *= 2;
        var batch = slices + choose.Below(2 * slices);
        var spec = first with
        {
            Job = "beside",
            Seed = first.Seed + 1_000_000,
            Batch = batch,
            Slices = slices,
            Steps = Math.Max(2, first.Steps - choose.Below((int)first.Steps / 2)),
            Sync = first.Sync with { Commit = choose.Below(3) == 0 ? "unanimous" : "local" },
            Checkpoint = first.Checkpoint with { Every = choose.Below(4) == 0 ? 0 : 2 + choose.Below(6) },
            Elastic = new ElasticSpec { Min = 1 + choose.Below(Math.Max(1, workers / 4)), Max = workers / 2 },
        };
        return new JobPlan(spec, choose.Below(5) == 0, (batch * (2 + choose.Below(4))) - choose.Below(batch),
            workers / 2, TimeSpan.FromMilliseconds(300 + choose.Below(choose.Below(2) == 0 ? 300 : 5_000)));
    }

    public override string ToString() =>
        $"{Steps} steps, batch {Spec.Batch} in {Spec.Slices} slices, {Samples} samples, "
        + $"{(LargeModel ? "large" : "small")} model, save every {Spec.Checkpoint.Every}, "
        + $"{Spec.Elastic.Min} to {Spec.Elastic.Max} workers, {Spec.Sync.Commit} commit, "
        + $"submitted after {SubmittedAt.TotalSeconds:0.0} s";
}
