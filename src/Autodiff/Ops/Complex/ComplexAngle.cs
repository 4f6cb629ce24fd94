namespace Convoy.Autodiff.Ops;

// y = the angle of z in radians, in (-π, π]        z -> y, a real tensor
internal sealed class ComplexAngle() : ComplexOp(1)
{
    public override string Name => "complex-angle";

    private protected override Value[] Formula(ComplexValue[] z) => [z[0].Imaginary.Atan2(z[0].Real)];
}
