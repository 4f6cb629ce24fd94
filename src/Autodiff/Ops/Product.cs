using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = Π x over axes        keep: reduced dimensions stay as 1
// dx_i = dy Π_{j≠i} x_j, without a division, so zeros are legal: the product of those before i and that of those after
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
        var rows = g.X.Transpose(order).Reshape([.. kept.Select(i => x[i]), count]);
        var others = CumProd.OfOthersBefore(rows, kept.Length, reverse: false)
            * CumProd.OfOthersBefore(rows, kept.Length, reverse: true);
        var inverse = new int[order.Length];
        for (var i = 0; i < order.Length; i++) inverse[order[i]] = i;
        Dim[] transposed = [.. order.Select(i => x[i])];
        var gradient = others.Reshape(transposed).Transpose(inverse);
        return [gradient * Reduction.Spread(g.Dy, g.X, g.Attributes)];
    }
}
