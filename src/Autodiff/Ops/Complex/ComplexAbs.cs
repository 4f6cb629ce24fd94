namespace Convoy.Autodiff.Ops;

// y = |z| without overflow; its gradient at 0 is 0        z -> y, a real tensor
internal sealed class ComplexAbs() : ComplexOp(1)
{
    public override string Name => "complex-abs";

    private protected override Value[] Formula(ComplexValue[] z) => [z[0].Real.Hypot(z[0].Imaginary)];
}
