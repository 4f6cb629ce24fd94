using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = -ln Σ over alignments π of Π_t p_t(π_t), the alignments that are the target once repeats are merged and
// blanks dropped (Graves et al. 2006, "Connectionist temporal classification", the forward recursion, in log space)
// x_TNC log-probabilities, targets_NS (int32, never the blank; any class past their length), input lengths_N (0 to T)
// and target lengths_N (0 to S), both int32 blank: its class, 0 unless given; zero-infinity: targets that no alignment
// fits cost 0 instead of infinity, and never have a gradient; reduction: sum, none, or mean unless given (of losses
// divided by their target length)
internal sealed class CtcLoss : CompositeOp
{
    internal override string Settings => "blank reduction zero-infinity";

    // Stands for ln 0: exponentials of it are 0 in both element types, and sums of it stay finite, so that no gradient
    // is the difference of two infinities.
    private const double Never = -1e30;

    public override string Name => "ctc-loss";
    private protected override (int Least, int Most) Arity => (4, 4);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var (log, targets) = (x[0], x[1]);
        Check(log.Type, targets.Type, x[2].Type, x[3].Type);
        var (steps, n, classes, size) = (log.Type[0].Size, log.Type[1], log.Type[2].Size, targets.Type[1].Size);
        var blank = attributes.Int("blank");
        Require((uint)blank < (uint)classes, $"the blank {blank} is none of {classes} classes");
        var dtype = log.Type.DType;
        var emissions = Emissions(log.Clamp(min: Never), targets, blank);
        var jumps = Jumps(builder, targets, log.Type);
        // 1 while a time step lies inside the input: the length is larger than its index.
        var inside = Lengths(x[2], steps, dtype, "an input length is 0 to the steps of the log-probabilities").Apply(OpTable.CumSum, Attributes.Of("axis", 1, "reverse", true));
        // Before the first step the place is the first blank, so that step enters the first blank or the first label.
        var places = (2 * size) + 1;
        var none = builder.Full(Never, log.Type.With(n, places));
        var alpha = builder.Full(0, log.Type.With(n, 1)).Pad(1, 0, places - 1, Never);
        for (var t = 0; t < steps; t++)
        {
            var come = alpha.LogAddExp(Shifted(alpha, 1)).LogAddExp(jumps.Where(Shifted(alpha, 2), none));
            alpha = inside.Slice(1, t + 1, 1).Where(come + emissions.Slice(0, t, 1).Squeeze(0), alpha);
        }

        var length = Lengths(x[3], size, dtype, "a target length is 0 to the width of the targets");
        var likelihood = Ends(length).Where(alpha, none).LogSumExp([1]);
        var impossible = likelihood.Less(likelihood.Constant(Never / 10));
        var worst = likelihood.Constant(attributes.Flag("zero-infinity") ? 0 : double.PositiveInfinity);
        var terms = impossible.Where(worst, -likelihood);
        if (attributes.Text("reduction", "mean") == "mean")
            terms /= (length * builder.Iota(size + 1, dtype)).Sum([1]).Clamp(min: 1);
        return [Losses.Reduced(terms, attributes)];
    }

    // 1 at each length; what is known of them when a graph is captured is that they are whole.
    private Value Lengths(Value lengths, int most, DType dtype, string rule)
    {
        try
        {
            return lengths.OneHot(most + 1, dtype);
        }
        catch (ShapeException)
        {
            throw Wrong($"{rule}, {most}: another one is given");
        }
    }

    private void Check(TensorType log, TensorType targets, TensorType inputLengths, TensorType targetLengths)
    {
        RequireFloat(log);
        RequireIndex(targets);
        RequireIndex(inputLengths);
        RequireIndex(targetLengths);
        Require(log.Rank == 3 && !log[0].PerSample && !log[2].PerSample,
            $"takes log-probabilities of time, sample and class, not {log.Text}");
        Require(targets.Rank == 2 && targets[0] == log[1] && !targets[1].PerSample,
            $"targets {targets.Text} do not belong to {log.Text}: one row per sample");
        foreach (var lengths in new[] { inputLengths, targetLengths })
            Require(lengths.Rank == 1 && lengths[0] == log[1],
                $"lengths {lengths.Text} do not belong to {log.Text}: one per sample");
    }

    /// <summary>Log-probabilities of blank, label, blank, .. label, blank: x_TN(2S+1).</summary>
    private static Value Emissions(Value log, Value targets, int blank)
    {
        var (steps, n, size) = (log.Type[0], log.Type[1], targets.Type[1]);
        var blanks = log.Slice(2, blank, 1);
        var labels = log.Gather(2, targets.BroadcastTo(steps, n, size));
        var pairs = Functions.Stack(3, blanks.BroadcastTo(steps, n, size), labels);
        return Functions.Concat(2, pairs.Reshape(steps, n, size.Size * 2), blanks);
    }

    /// <summary>1 at labels that may follow the label before without a blank: those unlike it. y_N(2S+1).</summary>
    private static Value Jumps(Builder builder, Value targets, TensorType log)
    {
        var (n, size) = (targets.Type[0], targets.Type[1].Size);
        if (size < 2) return builder.Full(0, log.With(n, (2 * size) + 1));
        var hot = targets.OneHot(log[2].Size, log.DType);
        var differs = (hot.Slice(1, 1, size - 1) * hot.Slice(1, 0, size - 1)).Sum([2]).OneMinus().Pad(1, 1, 0);
        return Interleaved(differs * 0, differs).Pad(1, 0, 1);
    }

    /// <summary>1 at the last label and at the blank after it. y_N(2S+1).</summary>
    private static Value Ends(Value length)
    {
        var size = length.Type[1].Size - 1;
        var blanks = length.Slice(1, 0, size + 1);
        var labels = length.Slice(1, 1, size).Pad(1, 0, 1);
        return Interleaved(blanks, labels).Slice(1, 0, (2 * size) + 1);
    }

    private static Value Interleaved(Value even, Value odd) =>
        Functions.Stack(2, even, odd).Reshape(even.Type[0], even.Type[1].Size * 2);

    private static Value Shifted(Value alpha, int by)
    {
        var places = alpha.Type[1].Size;
        return alpha.Pad(1, by, 0, Never).Slice(1, 0, places);
    }
}
