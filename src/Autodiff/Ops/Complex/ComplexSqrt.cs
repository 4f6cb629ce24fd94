namespace Convoy.Autodiff.Ops;

// y = √z = √|z| (cos + i sin) of half the angle, the principal value        z, y of one shape
internal sealed class ComplexSqrt() : ComplexOp(1)
{
    public override string Name => "complex-sqrt";

    private protected override Value[] Formula(ComplexValue[] z)
    {
        var (size, half) = (z[0].Abs().Sqrt(), z[0].Angle() * 0.5);
        return Parts(size * half.Cos(), size * half.Sin());
    }
}
