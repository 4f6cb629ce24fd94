using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// z_rc = (e^(x_rc - m_r - l_r) - [c = target_r]) dy_r, m_r the largest of x_r        dy_.., x_..C, targets_..,
// l_.. -> z_..C
// with s = softmax(x), v = u dy: d dy = Σ_c u (s - onehot), dx = s (v - Σ_c v s)
internal sealed class CrossEntropyGrad : FloatOp
{
    public override string Name => "cross-entropy-grad";
    public override string Sharding => "a..., a... !c, a..., a... -> a... c";

    internal override Value[]? Batched(OpBatch b) => b.Leading();
    internal override bool MayOverwrite(int input) => input == 1;
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 4);
        var results = OpTable.CrossEntropy.Infer(attributes, inputs[1..3]);
        Require(inputs[0].Equals(results[0]) && inputs[3].Equals(results[0]), "takes one gradient and one sum per row");
        return [inputs[1]];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(4 * inputs[1].CountAt(rows), BytesOf(inputs, outputs, rows));

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Kernels.CrossEntropy.Backward(
            call.In<T>(1), call.Inputs[1].Shape[-1], call.In<int>(2), call.In<T>(3), call.In<T>(0), call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (dy, x, targets, l, u) = (g.X, g.Inputs[1], g.Inputs[2], g.Inputs[3], g.Dy);
        var last = x.Type.Rank - 1;
        var ones = g.Builder.Full(1, dy.Type);
        var slope = ones.Apply(this, x, targets, l);
        var dDy = g.Needs(0) ? (u * slope).Sum([last]) : null;
        if (!g.Needs(1)) return [dDy, null, null, null];
        var s = x.Softmax();
        var v = u * dy.Reshape([.. dy.Type.Dims, 1]);
        return [dDy, s * (v - (v * s).Sum([last], keep: true)), null, null];
    }
}
