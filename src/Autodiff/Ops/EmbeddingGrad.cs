using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// dw[v] = Σ dy where ids = v        dy_..D, ids of the leading shape -> dw_VD, V is the attribute rows
// d dy = embedding of u
internal sealed class EmbeddingGrad : FloatOp
{
    public override string Name => "embedding-grad";
    public override string Sharding => "+i... d, +i... -> v d";
    internal override string Settings => "rows";

    internal override Value[]? Batched(OpBatch b)
    {
        var (dy, width) = (b.Spread(0), b.Inputs[0].Type[-1]);
        var rows = Embedding.Rows(b.Spread(1), width);
        var zero = b.Builder.Full(0, dy.Type.With(b.Rows, b.Attributes.Int("rows"), width));
        return [zero.ScatterAdd(1, rows, dy.ReshapeLike(rows.Type.Dims))];
    }
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;
    internal override bool SumsSamples(Attributes attributes) => true;

    internal override int RowsPerSample(Attributes attributes, ReadOnlySpan<TensorType> inputs) =>
        inputs[1].BatchAxis == 0 ? checked((int)inputs[1].Coefficient) : 0;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs[0]);
        RequireIndex(inputs[1]);
        var (dy, ids) = (inputs[0], inputs[1]);
        Require(
            dy.Rank == ids.Rank + 1 && dy.Dims.AsSpan()[..^1].SequenceEqual(ids.Dims.AsSpan()),
            $"{dy.Text} has no row per id of {ids.Text}");
        return [dy.With(attributes.Int("rows"), dy[-1])];
    }

    private protected override void Run<T>(OpCall call)
    {
        var (rows, width) = (call.Outputs[0].Shape[0], call.Outputs[0].Shape[1]);
        Span<int> starts = stackalloc int[2];
        var segments = call.SegmentsOf((int)call.Inputs[1].Count, starts);
        foreach (var id in call.In<int>(1)) IndexedOp.Place(this, id, rows);
        Kernels.Embedding.SegmentedScatterAdd(
            call.In<int>(1), call.In<T>(0), width, rows, call.Nodes<T>(), call.StrideOf(), segments);
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy.Apply(OpTable.Embedding, g.Inputs[1]), null];
}
