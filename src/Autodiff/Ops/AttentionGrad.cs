using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// dqkv of attention        dy, y_NTD, qkv_NT(3D), l_NHT -> dqkv_NT(3D)        flops 10·N·T²·D
// No gradient of its own: for a second derivative, build attention from matmul and softmax.
internal sealed class AttentionGrad : FloatOp
{
    public override string Name => "attention-grad";
    public override string Sharding => "n !t (h !d), n !t (3 h !d), n !t (h !d), n h t -> n t (3 h d)";
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

    internal override Value?[] Backward(OpGradient g) =>
        throw new ShapeException("attention-grad: for a second derivative build attention from matmul and softmax");
}
