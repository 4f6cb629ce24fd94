using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = Π x over axes        keep: reduced dimensions stay as 1
// dx_i = dy Π_{j≠i} x_j, without a division, so zeros are legal: row i of an n x n matrix has x with 1 in place i
internal sealed class Product : FloatOp
{
    public override string Name => "product";
    public override string Sharding => "a... !r -> a...";
    internal override string Settings => "axes keep";

    internal override Value[]? Batched(OpBatch b) => b.Along("axes");

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var axes = attributes.Ints("axes");
        Axes.Check(axes, inputs[0].Rank, Name);
        Require(!axes.Contains(inputs[0].BatchAxis), "a product over the batch is not a sum over samples");
        return [inputs[0].With(Axes.Reduced(inputs[0], axes, attributes.Flag("keep")))];
    }

    private protected override void Run<T>(OpCall call) =>
        Reduction.Rows<T, ProductFold<T>>(call, call.Attributes.Ints("axes").AsSpan());

    internal override Value?[] Backward(OpGradient g)
    {
        var axes = g.Attributes.Ints("axes");
        var x = g.X.Type;
        int[] kept = [.. Enumerable.Range(0, x.Rank).Where(i => !axes.Contains(i))];
        int[] order = [.. kept, .. axes];
        var count = checked((int)Reduction.CountOf(x, g.Attributes));

        // [kept, n] -> [kept, 1, n] against the unit matrix [n, n] -> products over the last -> [kept, n]
        Dim[] keptDims = [.. kept.Select(i => x[i])];
        var rows = g.X.Transpose(order).Reshape([.. keptDims, 1, count]);
        var unit = g.Builder.Apply(OpTable.Eye, Attributes.Of("size", count, "dtype", x.DType), [])[0];
        var others = ((rows * unit.OneMinus()) + unit).Product([keptDims.Length + 1]);
        var inverse = new int[order.Length];
        for (var i = 0; i < order.Length; i++) inverse[order[i]] = i;
        Dim[] transposed = [.. order.Select(i => x[i])];
        var gradient = others.Reshape(transposed).Transpose(inverse);
        return [gradient * Reduction.Spread(g.Dy, g.X, g.Attributes)];
    }
}
