using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// loss_r = l_r - (x_r,target - m_r), m_r the largest of x_r        x_..C logits, targets_.. -> loss_..,
// l_.. = ln Σ e^(x - m); 0 outside of C
// dx = cross-entropy-grad
internal sealed class CrossEntropy : FloatOp
{
    public override string Name => "cross-entropy";
    public override string Sharding => "a... !c, a... -> a..., a...";

    internal override Value[]? Batched(OpBatch b) => b.Leading();

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        var (x, targets) = (inputs[0], inputs[1]);
        RequireFloat(x);
        RequireIndex(targets);
        Require(x.Rank > 0 && !x[-1].PerSample && x[-1] != 0,
            $"the classes are a last dimension of fixed size, not {x.Text}");
        Require(x.Dims.AsSpan()[..^1].SequenceEqual(targets.Dims.AsSpan()),
            $"{x.Text} has no row per target of {targets.Text}");
        var rows = x.With(targets.Dims.AsSpan());
        return [rows, rows];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(6 * inputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Kernels.CrossEntropy.Forward(
            call.In<T>(0), call.Inputs[0].Shape[-1], call.In<int>(1), call.Out<T>(), call.Out<T>(1));
    }

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.Apply(OpTable.CrossEntropyGrad, g.X, g.Inputs[1], g.Outputs[1]), null];
}
