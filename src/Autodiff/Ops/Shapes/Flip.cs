namespace Convoy.Autodiff.Ops;

// y[.., i, ..] = x[.., n - 1 - i, ..] on one axis        x, y of one shape
// dx = dy turned around in the same way
internal sealed class Flip : AlongAxis
{
    public override string Name => "flip";
    public override string Sharding => "!t a... -> t a...; lin(x)";

    internal override bool OnlyMoves => true;
    internal override bool IsLinearIn(uint inputMask) => true;

    private protected override void Run<T>(OpCall call)
    {
        var x = call.In<T>(0);
        var y = call.Out<T>();
        var s = AxisSpan.Of(call.Inputs[0].Shape, call.Attributes.Int("axis"));
        for (var o = 0; o < s.Outer; o++)
            for (var k = 0; k < s.Size; k++) x.Slice(s.At(o, k, 0), s.Inner).CopyTo(y[s.At(o, s.Size - 1 - k, 0)..]);
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy.Apply(this, g.Attributes)];
}
