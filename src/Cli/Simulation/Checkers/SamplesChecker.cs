using Convoy.Coordinator.Api;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// Every sample exactly once in each epoch, whatever happened (DATA: D5, scenario 20). A step that is computed again
/// must have the same samples in the same slices; the steps of an epoch together have every sample once.
/// </summary>
internal sealed class SamplesChecker : Checker
{
    private readonly SortedDictionary<(long Step, int Slice), long[]> _samples = [];
    private readonly SortedSet<long> _applied = [];

    /// <summary>Samples of a slice of a step; null: nobody has computed it.</summary>
    public long[]? SamplesOf(long step, int slice) => _samples.GetValueOrDefault((step, slice));

    public override void OnRun(string host, long step, int firstSlice, IReadOnlyList<int> rows,
        IReadOnlyList<long> samples)
    {
        if (rows.Sum() != samples.Count)
        {
            Fail($"{host} runs step {step} over {samples.Count} samples, its slices say {rows.Sum()}");
            return;
        }

        var at = 0;
        for (var s = 0; s < rows.Count; s++)
        {
            var mine = new long[rows[s]];
            for (var i = 0; i < mine.Length; i++) mine[i] = samples[at++];
            if (!_samples.TryGetValue((step, firstSlice + s), out var known))
                _samples.Add((step, firstSlice + s), mine);
            else if (!known.AsSpan().SequenceEqual(mine))
                Fail($"{host} runs slice {firstSlice + s} of step {step} over [{string.Join(' ', mine)}], before it was [{string.Join(' ', known)}]");
        }
    }

    public override void OnApplied(
        string host, ulong incarnation, long step, ReadOnlySpan<float> weights, ReadOnlySpan<float> momentum) =>
            _applied.Add(step);

    public override void OnJobOver(StatusReport report)
    {
        if (report.Outcome != "finished") return;
        var plan = Job.Plan;
        var perEpoch = (plan.Samples + plan.Spec.Batch - 1) / plan.Spec.Batch;
        for (long step = 1; step <= plan.Steps; step++)
            Check(_applied.Contains(step), $"step {step} was never applied");
        for (var first = 1L; first <= plan.Steps; first += perEpoch)
        {
            var last = Math.Min(first + perEpoch - 1, plan.Steps);
            var seen = new SortedSet<long>();
            foreach (var ((step, slice), samples) in _samples)
            {
                if (step < first || step > last) continue;
                foreach (var sample in samples)
                    Check(seen.Add(sample) && sample >= 0 && sample < plan.Samples,
                        $"sample {sample} comes twice in the epoch of step {first}, or is none (step {step}, slice {slice})");
            }

            var whole = last - first + 1 == perEpoch;
            Check(!whole || seen.Count == plan.Samples,
                $"the epoch of step {first} has {seen.Count} of {plan.Samples} samples");
        }
    }
}
