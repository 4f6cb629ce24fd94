using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = w[ids]        w_VD, ids of any shape -> y_..D
// dw = embedding-grad
internal sealed class Embedding : FloatOp
{
    public override string Name => "embedding";
    public override string Sharding => "@v d, i... -> i... d";
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs[0]);
        RequireIndex(inputs[1]);
        Require(inputs[0].Rank == 2 && !inputs[0].IsPerSample, $"the table is [V, D], not {inputs[0].Text}");
        return [inputs[0].With([.. inputs[1].Dims, inputs[0][1]])];
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        Kernels.Embedding.Gather(call.In<T>(0), call.Inputs[0].Shape[1], call.In<int>(1), call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.Apply(OpTable.EmbeddingGrad, Attributes.Of("rows", g.X.Type[0].Size), g.Inputs[1]), null];
}
