using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// Operators as methods of values: losses of values that are at hand. In a graph that is trained, losses are sums over
// samples (decision 4): reduction "none" or "sum"; a mean over the batch is refused there.
public static partial class Functions
{
    /// <summary>-ln softmax(x)[target] of each row of logits x_..C, targets (int32) of the leading shape.</summary>
    /// <param name="smoothing">The share of each target, 0 to 1, that is spread evenly over all classes (Szegedy and
    /// others 2016).</param>
    /// <param name="ignore">Rows with this target cost nothing and do not count in the mean; it need not be a
    /// class.</param>
    /// <param name="reduction">mean, sum or none.</param>
    /// <exception cref="ShapeException">Targets do not belong to the rows, or one is no class.</exception>
    public static Value CrossEntropyLoss(
        this Value logits, Value targets, double smoothing = 0, int? ignore = null, string reduction = "mean") =>
        logits.Apply(OpTable.CrossEntropyLoss, Ignoring(reduction, ignore).With("smoothing", smoothing), targets);

    /// <summary>-x[target] of each row of log-probabilities x_..C, targets (int32) of the leading shape.</summary>
    /// <param name="ignore">Rows with this target cost nothing and do not count in the mean.</param>
    /// <param name="reduction">mean, sum or none.</param>
    public static Value NllLoss(
        this Value logProbabilities, Value targets, int? ignore = null, string reduction = "mean") =>
        logProbabilities.Apply(OpTable.NllLoss, Ignoring(reduction, ignore), targets);

    /// <summary>-t ln σ(x) - (1 - t) ln(1 - σ(x)) of logits and targets in [0, 1] of their shape, without
    /// overflow.</summary>
    /// <param name="reduction">mean, sum or none.</param>
    public static Value BceWithLogits(this Value logits, Value targets, string reduction = "mean") =>
        logits.Apply(OpTable.BceWithLogits, Reduced(reduction), targets);

    /// <summary>(x - target)², both of one shape.</summary>
    /// <param name="reduction">mean, sum or none.</param>
    public static Value MseLoss(this Value x, Value target, string reduction = "mean") =>
        x.Apply(OpTable.MseLoss, Reduced(reduction), target);

    /// <summary>|x - target|, both of one shape; no gradient where they are equal.</summary>
    /// <param name="reduction">mean, sum or none.</param>
    public static Value L1Loss(this Value x, Value target, string reduction = "mean") =>
        x.Apply(OpTable.L1Loss, Reduced(reduction), target);

    /// <summary>d²/2 where |d| ≤ delta, else delta (|d| - delta/2), d = x - target (Huber 1964).</summary>
    /// <param name="reduction">mean, sum or none.</param>
    public static Value HuberLoss(this Value x, Value target, double delta = 1, string reduction = "mean") =>
        x.Apply(OpTable.HuberLoss, Reduced(reduction).With("delta", delta), target);

    /// <summary>t (ln t - x) of log-probabilities x and probabilities t of their shape, 0 where t is 0 (Kullback and
    /// Leibler 1951).</summary>
    /// <param name="reduction">batchmean (the sum over the size of the first dimension), mean, sum or none.</param>
    public static Value KlDiv(this Value logProbabilities, Value targets, string reduction = "batchmean") =>
        logProbabilities.Apply(OpTable.KlDiv, Reduced(reduction), targets);

    /// <summary>Σ a b / max(|a| |b|, epsilon) over one axis: the cosine of the angle between vectors.</summary>
    public static Value CosineSimilarity(this Value a, Value b, int axis = -1, double epsilon = 1e-8) =>
        a.Apply(OpTable.CosineSimilarity, Attributes.Of("axis", axis, "epsilon", epsilon), b);

    /// <summary>1 - cos(a, b) of pairs a_ND, b_ND where t_N is 1, and max(0, cos(a, b) - margin) where it is
    /// -1.</summary>
    /// <param name="reduction">mean, sum or none.</param>
    public static Value CosineEmbeddingLoss(
        this Value a, Value b, Value t, double margin = 0, string reduction = "mean") =>
        a.Apply(OpTable.CosineEmbeddingLoss, Reduced(reduction).With("margin", margin), b, t);

    /// <summary>max(0, margin - t x), t is 1 or -1 and of the shape of x (Cortes and Vapnik 1995).</summary>
    /// <param name="reduction">mean, sum or none.</param>
    public static Value HingeLoss(this Value x, Value t, double margin = 1, string reduction = "mean") =>
        x.Apply(OpTable.HingeLoss, Reduced(reduction).With("margin", margin), t);

    private static Attributes Reduced(string reduction) => Attributes.Of("reduction", reduction);

    private static Attributes Ignoring(string reduction, int? ignore) =>
        ignore is { } target ? Reduced(reduction).With("ignore", target) : Reduced(reduction);
}
