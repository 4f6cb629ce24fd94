using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = w[ids]        w_VD, ids of any shape -> y_..D
// dw = embedding-grad
internal sealed class Embedding : IndexedOp
{
    public override string Name => "embedding";
    public override string Sharding => "@v d, i... -> i... d";

    internal override Value[]? Batched(OpBatch b)
    {
        if (!b.Carries(0)) return b.Apply(b.Attributes, [.. b.Inputs]);
        // Each sample has a table of its own: the same rows by an index along the rows.
        var (tables, ids) = (b.Spread(0), b.Spread(1));
        var rows = Rows(ids, tables.Type[2]);
        return [tables.Gather(1, rows).Reshape([.. ids.Type.Dims, tables.Type[2]])];
    }

    /// <summary>Ids of samples, repeated over the width: ids_R.. -> [R, ids of a sample, D].</summary>
    internal static Value Rows(Value ids, Dim width)
    {
        var flat = ids.Reshape(ids.Type[0], ids.Type.Dims.Skip(1).Aggregate(1, (a, d) => a * d.Size), 1);
        return flat.BroadcastTo(flat.Type[0], flat.Type[1], width);
    }
    internal override bool IsLinearIn(uint inputMask) => inputMask == 1;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs[0]);
        RequireIndex(inputs[1]);
        Require(inputs[0].Rank == 2 && !inputs[0].IsPerSample, $"the table is [V, D], not {inputs[0].Text}");
        return [inputs[0].With([.. inputs[1].Dims, inputs[0][1]])];
    }

    private protected override void Run<T>(OpCall call) =>
        TakeRows(call.In<T>(0), AxisSpan.Of(call.Inputs[0].Shape, 0), call.In<int>(1), call.Out<T>());

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.Apply(OpTable.EmbeddingGrad, Attributes.Of("rows", g.X.Type[0].Size), g.Inputs[1]), null];
}
