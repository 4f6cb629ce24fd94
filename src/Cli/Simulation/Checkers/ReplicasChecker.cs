using System.Runtime.InteropServices;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// After each step every replica has, to the bit, the weights and the optimizer state of the undisturbed reference: one
/// machine that adds the samples of a slice in order and the slices by the tree, as the definition says.
/// </summary>
internal sealed class ReplicasChecker : Checker
{
    private readonly List<(float[] Weights, float[] Momentum)> _states = [];
    private readonly List<float[]> _sums = []; // one for each slice; used again by each step

    /// <summary>State t of the reference; null: nobody has come so far.</summary>
    public float[]? WeightsOf(long step) => step < _states.Count ? _states[(int)step].Weights : null;

    public float[]? MomentumOf(long step) => step < _states.Count ? _states[(int)step].Momentum : null;

    public override void OnApplied(
        string host, ulong incarnation, long step, ReadOnlySpan<float> weights, ReadOnlySpan<float> momentum)
    {
        if (_states.Count == 0) _states.Add(First(weights.Length));
        if (step > _states.Count)
        {
            Fail($"{host} applied step {step}; nobody has applied step {_states.Count}");
            return;
        }

        if (step == _states.Count && !Compute(step, weights.Length)) return;
        var (expected, expectedMomentum) = _states[(int)step];
        Compare(host, step, "weight", weights, expected);
        Compare(host, step, "momentum", momentum, expectedMomentum);
    }

    private void Compare(string host, long step, string what, ReadOnlySpan<float> found, float[] expected)
    {
        var a = MemoryMarshal.Cast<float, uint>(found);
        ReadOnlySpan<uint> b = MemoryMarshal.Cast<float, uint>(expected.AsSpan());
        if (a.SequenceEqual(b)) return;
        var at = a.CommonPrefixLength(b);
        Fail($"{what} {at} of {host} after step {step} is {found[at]:R}, the reference has {expected[at]:R}");
    }

    private static (float[], float[]) First(int elements)
    {
        var weights = new float[elements];
        for (var e = 0; e < elements - 3; e++) weights[e] = SimulatedModel.FirstWeight(e);
        return (weights, new float[elements]);
    }

    private bool Compute(long step, int elements)
    {
        var (before, momentumBefore) = _states[(int)step - 1];
        var slices = new float[Job.Plan.Spec.Slices][];
        var count = 0;
        for (var s = 0; s < slices.Length; s++)
        {
            // A worker whose slices have no sample in this step computes nothing.
            if (Job.Samples.SamplesOf(step, s) is not { Length: > 0 } samples) continue;
            count += samples.Length;
            var sum = slices[s] = SumOf(s, elements);
            foreach (var sample in samples)
                SimulatedModel.AddGradient(Job.FirstSample + sample, before, sum.AsSpan(0, elements - 3));
        }

        if (count != CountOf(step))
        {
            Fail($"step {step} was applied after {count} of its {CountOf(step)} samples were computed");
            return false;
        }

        // Level by level: neighbours add, an absent one leaves the other's bits.
        for (var width = 1; width < slices.Length; width *= 2)
            for (var left = 0; left + width < slices.Length; left += 2 * width)
                slices[left] = Added(slices[left], slices[left + width]);
        var (weights, momentum) = ((float[])before.Clone(), (float[])momentumBefore.Clone());
        var scale = (float)(1.0 / count);
        for (var e = 0; e < elements; e++)
        {
            momentum[e] = (SimulatedModel.MomentumFactor * momentum[e]) + (slices[0][e] * scale);
            weights[e] -= SimulatedModel.Rate * momentum[e];
        }

        _states.Add((weights, momentum));
        return true;
    }

    private float[] SumOf(int slice, int elements)
    {
        while (_sums.Count <= slice) _sums.Add(new float[elements]);
        Array.Clear(_sums[slice]);
        return _sums[slice];
    }

    /// <summary>The batch, or what an epoch has left.</summary>
    private int CountOf(long step)
    {
        var (samples, batch) = (Job.Plan.Samples, Job.Plan.Spec.Batch);
        var perEpoch = (samples + batch - 1) / batch;
        return (int)Math.Min(batch, samples - ((step - 1) % perEpoch * batch));
    }

    private static float[] Added(float[]? left, float[]? right)
    {
        if (left is null || right is null) return (left ?? right)!;
        for (var e = 0; e < left.Length; e++) left[e] += right[e];
        return left;
    }
}
