namespace Convoy.Autodiff.Ops;

// y_i = Π x_j over j ≤ i on one axis, in float64; from the end where reverse is set        x, y of one shape
// dx_j = Σ_{i ≥ j} dy_i Π_{k ≤ i, k ≠ j} x_k without a division, so zeros are legal: the product of those before j,
// times s_j = dy_j + x_{j+1} s_{j+1}, a recurrence from the other end
internal sealed class CumProd : AlongAxis
{
    public override string Name => "cumprod";
    internal override string Settings => "axis reverse";
    public override string Sharding => "!t a... -> t a...";

    private protected override void Run<T>(OpCall call)
    {
        var x = call.In<T>(0);
        var y = call.Out<T>();
        var s = AxisSpan.Of(call.Inputs[0].Shape, call.Attributes.Int("axis"));
        var reverse = call.Attributes.Flag("reverse");
        for (var o = 0; o < s.Outer; o++)
        {
            for (var i = 0; i < s.Inner; i++)
            {
                var product = 1.0;
                for (var k = 0; k < s.Size; k++)
                {
                    var at = s.At(o, reverse ? s.Size - 1 - k : k, i);
                    y[at] = T.CreateTruncating(product *= double.CreateTruncating(x[at]));
                }
            }
        }
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (axis, reverse) = (g.Attributes.Int("axis"), g.Attributes.Flag("reverse"));
        var following = Recurrence.After(g.X, axis, reverse, 0).Recurrence(g.Dy, axis, !reverse);
        return [OfOthersBefore(g.X, axis, reverse) * following];
    }

    /// <summary>The product of all elements before each on an axis; of those after it where reverse is set.</summary>
    public static Value OfOthersBefore(Value x, int axis, bool reverse) =>
        Recurrence.Before(x, axis, reverse, 1)
            .Apply(OpTable.CumProd, Attributes.Of("axis", axis, "reverse", reverse));
}
