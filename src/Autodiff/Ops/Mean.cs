using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Ops;

// y = Σ x / count over axes        count: the elements that one result takes
// dx = dy / count repeated over the axes
// Losses are sums (decision 4): a mean over the batch would depend on how the batch is cut, and is refused.
internal sealed class Mean : FloatOp
{
    public override string Name => "mean";
    public override string Sharding => "a... +r -> a...";
    internal override string Settings => "axes keep";

    internal override Value[]? Batched(OpBatch b) => b.Along("axes");
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var axes = attributes.Ints("axes");
        Axes.Check(axes, inputs[0].Rank, Name);
        Require(!axes.Contains(inputs[0].BatchAxis),
            "a mean over the batch depends on its size: sum, and scale the rate");
        return [inputs[0].With(Axes.Reduced(inputs[0], axes, attributes.Flag("keep")))];
    }

    private protected override void Run<T>(OpCall call)
    {
        Reduction.Sum<T>(call, call.Attributes.Ints("axes").AsSpan());
        var count = Reduction.CountOf(call.Inputs[0].Type, call.Attributes);
        Elementwise.BinaryScalar<T, Fn.Multiply>(call.Out<T>(), T.CreateTruncating(1.0 / count), call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g) =>
        [Reduction.Spread(Reduction.Shared(g.Dy, g.X.Type, g.Attributes), g.X, g.Attributes)];
}
