using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>What losses share: the reduction, and classes that do not count.</summary>
internal static class Losses
{
    public static Value Reduced(Value terms, Attributes attributes) => attributes.Text("reduction", "mean") switch
    {
        "none" => terms,
        "sum" => terms.Sum(),
        "mean" => terms.Mean(),
        var other => throw new ShapeException($"the reduction is mean, sum or none, not \"{other}\""),
    };

    /// <summary>The negative log-probability of each target; the mean is over the targets that count.</summary>
    public static Value OfClasses(
        Builder builder, Value log, Value targets, double smoothing, Attributes attributes, string name)
    {
        if (log.Type.Rank == 0 || !log.Type.Dims.AsSpan()[..^1].SequenceEqual(targets.Type.Dims.AsSpan()))
            throw new ShapeException($"{name}: targets {targets.Type.Text} do not belong to {log.Type.Text}: there is one for each row");
        if (log.Type[-1].PerSample)
            throw new ShapeException($"{name}: the classes are a last dimension of fixed size, not {log.Type.Text}");
        var classes = log.Type[-1].Size;
        // A target that does not count may be no class at all, so it is looked up as class 0 and masked.
        var marked = attributes.Has("ignore");
        var counts = marked ? targets.Mark(attributes.Int("ignore"), log.Type.DType).OneMinus() : null;
        var legal = marked ? targets.Replace(attributes.Int("ignore"), 0) : targets;
        var hot = builder.Apply(OpTable.OneHot, Attributes.Of("classes", classes, "dtype", log.Type.DType), [legal])[0];
        var terms = -hot.Where(log, log.Constant(0)).Sum([-1]);
        if (smoothing != 0) terms = (terms * (1 - smoothing)) - (log.Mean([-1]) * smoothing);
        if (counts is null) return Reduced(terms, attributes);
        terms *= counts;
        if (attributes.Text("reduction", "mean") != "mean") return Reduced(terms, attributes);
        if (terms.Type.IsPerSample)
            throw new ShapeException($"{name}: a mean over the batch depends on its size: sum, and scale the rate");
        return terms.Sum() / counts.Sum();
    }
}
