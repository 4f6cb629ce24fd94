namespace Convoy.Autodiff.Ops;

// y_i = Σ x_j over j ≤ i on one axis, in float64; from the end where reverse is set        x, y of one shape
// dx = the same sum of dy from the other end
internal sealed class CumSum : AlongAxis
{
    public override string Name => "cumsum";
    internal override string Settings => "axis reverse";
    public override string Sharding => "!t a... -> t a...; lin(x)";

    internal override bool IsLinearIn(uint inputMask) => true;

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
                // In float64, so that the last of many is as right as the first.
                var sum = 0.0;
                for (var k = 0; k < s.Size; k++)
                {
                    var at = s.At(o, reverse ? s.Size - 1 - k : k, i);
                    y[at] = T.CreateTruncating(sum += double.CreateTruncating(x[at]));
                }
            }
        }
    }

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.Apply(this, Attributes.Of("axis", g.Attributes.Int("axis"), "reverse", !g.Attributes.Flag("reverse")))];
}
