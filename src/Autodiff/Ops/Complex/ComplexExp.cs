namespace Convoy.Autodiff.Ops;

// y = e^z = e^re (cos im + i sin im)        z, y of one shape
internal sealed class ComplexExp() : ComplexOp(1)
{
    public override string Name => "complex-exp";

    private protected override Value[] Formula(ComplexValue[] z)
    {
        var size = z[0].Real.Exp();
        return Parts(size * z[0].Imaginary.Cos(), size * z[0].Imaginary.Sin());
    }
}
