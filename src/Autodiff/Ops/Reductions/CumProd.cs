namespace Convoy.Autodiff.Ops;

// y_i = Π x_j over j ≤ i on one axis, in float64        x, y of one shape
// dx_j = Σ_{i ≥ j} dy_i Π_{k ≤ i, k ≠ j} x_k without a division, so zeros are legal: row j of an n x n matrix has x
// with 1 in place j, and the products along its rows are these
internal sealed class CumProd : AlongAxis
{
    public override string Name => "cumprod";
    public override string Sharding => "!t a... -> t a...";

    private protected override void Run<T>(OpCall call)
    {
        var x = call.In<T>(0);
        var y = call.Out<T>();
        var s = AxisSpan.Of(call.Inputs[0].Shape, call.Attributes.Int("axis"));
        for (var o = 0; o < s.Outer; o++)
        {
            for (var i = 0; i < s.Inner; i++)
            {
                var product = 1.0;
                for (var k = 0; k < s.Size; k++)
                    y[s.At(o, k, i)] = T.CreateTruncating(product *= double.CreateTruncating(x[s.At(o, k, i)]));
            }
        }
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (rank, axis) = (g.X.Type.Rank, g.Attributes.Int("axis"));
        int[] order = [.. Enumerable.Range(0, rank)];
        (order[axis], order[^1]) = (order[^1], order[axis]);
        var (x, dy) = (g.X.Transpose(order).Unsqueeze(rank - 1), g.Dy.Transpose(order).Unsqueeze(rank - 1));
        var unit = g.Builder.Apply(OpTable.Eye, Attributes.Of("size", x.Type[-1].Size, "dtype", x.Type.DType), [])[0];
        var others = unit.Where(x.Constant(1), x).CumProd(rank);
        return [(others.Triu() * dy).Sum([rank]).Transpose(order)];
    }
}
