using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Passes;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// Running mean and variance of batch norm: parameters that follow the data instead of a gradient. What travels in the
/// place of their gradients are sums over samples of mean - running and of variance + (mean - running)², where mean and
/// variance are those of the sample's slice. Counting from the running mean keeps both small, so that subtracting loses
/// nothing; the sums go up the slice tree like gradients, and lie in checkpoints like weights.
/// </summary>
internal sealed class RunningStatistics
{
    public const string MeanSuffix = "running_mean";
    public const string VarianceSuffix = "running_var";
    /// <summary>
    /// The attributes of a running mean: share of the new value, and elements of a sample in a channel.
    /// </summary>
    public const string MomentumAttribute = "momentum";
    public const string ElementsAttribute = "elements";
    private readonly List<Pair> _pairs = [];

    private sealed record Pair(ParameterSlot Mean, ParameterSlot Variance, double Momentum, double Elements);

    private RunningStatistics()
    {
    }

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _pairs.Count == 0;

    /// <summary>The parameters with a rule of their own, which no optimizer may touch.</summary>
    public IEnumerable<ParameterSlot> Slots => _pairs.SelectMany(p => new[] { p.Mean, p.Variance });

    public static RunningStatistics Of(Graph graph, ParameterLayout layout)
    {
        var statistics = new RunningStatistics();
        for (var i = 0; i < graph.Parameters.Length; i++)
        {
            var node = graph.Parameters[i];
            if (!IsStatistic(graph, node.Name) || !node.Name.EndsWith(MeanSuffix, StringComparison.Ordinal)) continue;
            var variance = node.Name[..^MeanSuffix.Length] + VarianceSuffix;
            var other = layout.Slots.FirstOrDefault(s => s.Name == variance);
            if (other is null || !IsStatistic(graph, variance) || other.Length != layout.Slots[i].Length)
                throw new GraphException($"{node.Name} has no {variance} beside it, with a sum of its own");
            var (momentum, elements) =
                (node.Attributes.Number(MomentumAttribute, 0.1), node.Attributes.Number(ElementsAttribute, 1));
            if (momentum is not (> 0 and <= 1) || elements < 1)
                throw new GraphException($"{node.Name}: momentum is above 0 to 1 and elements 1 or more");
            statistics._pairs.Add(new Pair(layout.Slots[i], other, momentum, elements));
        }

        return statistics;
    }

    private static bool IsStatistic(Graph graph, string parameter) =>
        graph.Output(GradientGraph.StatisticPrefix + parameter) is not null;

    /// <summary>
    /// The values after a step of <paramref name="samples"/> samples, in the order of <see cref="Slots"/>, from those
    /// before it and the sums over all of them. The variance that is kept is that of the population (divided by n - 1).
    /// </summary>
    public void Follow(ReadOnlySpan<float> before, ReadOnlySpan<float> sums, double samples, Span<float> values)
    {
        var at = 0;
        foreach (var pair in _pairs)
        {
            var count = samples * pair.Elements;
            var unbiased = count > 1 ? count / (count - 1) : 1;
            for (var c = 0; c < pair.Mean.Length; c++)
            {
                var (m, v) = ((int)pair.Mean.Offset + c, (int)pair.Variance.Offset + c);
                var shift = sums[m] / samples;
                var variance = Math.Max(0, (sums[v] / samples) - (shift * shift)) * unbiased;
                values[at + c] = (float)(before[m] + (pair.Momentum * shift));
                values[at + (int)pair.Mean.Length + c] = (float)(before[v] + (pair.Momentum * (variance - before[v])));
            }

            at += 2 * (int)pair.Mean.Length;
        }
    }
}
