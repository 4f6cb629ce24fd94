using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// s = q kᵀ/√d (keys after the query are hidden when causal), p = softmax(s), y = p v, for each head
// qkv_NT(3D): columns q, k, v, each H heads of d = D/H        -> y_NTD, l_NHT = ln Σ e^s        flops 4·N·T²·D
// dqkv = attention-grad
internal sealed class Attention : FloatOp
{
    public override string Name => "attention";
    public override string Sharding => "n !t (3 h !d) -> n t (h d), n h t";
    internal override string Settings => "heads causal";

    internal override Value[]? Batched(OpBatch b) => b.Folded(1);

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var (x, heads) = (inputs[0], attributes.Int("heads"));
        Require(x.Rank == 3 && x.BatchAxis <= 0, $"takes [N, T, 3D], not {x.Text}");
        Require(heads > 0 && x[2].Size > 0 && x[2].Size % (3 * heads) == 0,
            $"a width of {x[2]} is not 3 x {heads} heads");
        return [x.With(x[0], x[1], x[2].Size / 3), x.With(x[0], heads, x[1])];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(4 * outputs[0].CountAt(rows) * inputs[0][1].Size, BytesOf(inputs, outputs, rows));

    internal static AttentionShape ShapeOf(Attributes attributes, Shape qkv)
    {
        var (width, heads) = (qkv[2] / 3, attributes.Int("heads"));
        return new AttentionShape(qkv[0], qkv[1], heads, width / heads, 3 * width, width, attributes.Flag("causal"));
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var qkv = call.In<T>(0);
        var width = call.Outputs[0].Shape[2];
        Kernels.Attention.Forward(
            qkv, qkv[width..], qkv[(2 * width)..], call.Out<T>(), call.Out<T>(1),
            ShapeOf(call.Attributes, call.Inputs[0].Shape));
    }

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.Apply(OpTable.AttentionGrad, g.Attributes, g.X, g.Y, g.Outputs[1])];
}
