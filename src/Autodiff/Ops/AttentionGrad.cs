using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// dqkv of attention        dy, y_NTD, qkv_NT(3D), l_NHT -> dqkv_NT(3D)        flops 10·N·T²·D
// d dy and d qkv: the gradient of the same formula written out, see Written
internal sealed class AttentionGrad : FloatOp
{
    public override string Name => "attention-grad";
    public override string Sharding => "n !t (h !d), n !t (3 h !d), n !t (h !d), n h t -> n t (3 h d)";
    internal override string Settings => "heads causal";

    internal override Value[]? Batched(OpBatch b) => b.Folded(4);
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 4);
        RequireFloat(inputs);
        var results = OpTable.Attention.Infer(attributes, [inputs[1]]);
        Require(
            inputs[0].Equals(results[0]) && inputs[2].Equals(results[0]) && inputs[3].Equals(results[1]),
            $"{inputs[0].Text} is not the gradient of the attention of {inputs[1].Text}");
        return [inputs[1]];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(10 * inputs[0].CountAt(rows) * inputs[0][1].Size, BytesOf(inputs, outputs, rows));

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var qkv = call.In<T>(1);
        var d = call.Out<T>();
        var width = call.Inputs[0].Shape[2];
        Kernels.Attention.Backward(
            qkv, qkv[width..], qkv[(2 * width)..], call.In<T>(2), call.In<T>(3), call.In<T>(0),
            d, d[width..], d[(2 * width)..], Attention.ShapeOf(call.Attributes, call.Inputs[1].Shape));
    }

    // The same gradient with all its parts, on a tape of its own.
    internal override Value?[] Backward(OpGradient g)
    {
        var gradients = LocalTape.Gradients(g, [0, 1], x => Written(x[0], x[1], g.Attributes));
        return [gradients[0], gradients[1], null, null];
    }

    private static Value Written(Value dy, Value qkv, Attributes attributes)
    {
        var (n, t, heads) = (qkv.Type[0], qkv.Type[1], attributes.Int("heads"));
        var width = qkv.Type[2].Size / (3 * heads);
        Value Heads(Value x) => x.Reshape(n, t, heads, width).Transpose(0, 2, 1, 3);
        Value Columns(Value x) => x.Transpose(0, 2, 1, 3).Reshape(n, t, heads * width);
        var parts = qkv.Split(2, heads * width, heads * width, heads * width);
        var (q, k, v, u) = (Heads(parts[0]), Heads(parts[1]), Heads(parts[2]), Heads(dy));
        var scale = 1 / Math.Sqrt(width);
        var scores = q.MatMul(k, tb: true) * scale;
        if (attributes.Flag("causal"))
        {
            var (row, column) = (dy.Builder.Iota(t, dy.Type.DType).Unsqueeze(1),
                dy.Builder.Iota(t, dy.Type.DType));
            scores = row.GreaterEqual(column).Where(scores, scores.Constant(double.NegativeInfinity));
        }

        var p = scores.Softmax();
        var dp = u.MatMul(v, tb: true);
        var ds = p * (dp - (p * dp).Sum([3], keep: true)) * scale;
        return Functions.Concat(
            2, Columns(ds.MatMul(k)), Columns(ds.MatMul(q, ta: true)), Columns(p.MatMul(u, ta: true)));
    }
}
