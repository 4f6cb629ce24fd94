namespace Convoy.Autodiff.Ops;

// y = the conjugate of z        z, y of one shape
internal sealed class ComplexConj() : ComplexOp(1)
{
    public override string Name => "complex-conj";

    private protected override Value[] Formula(ComplexValue[] z) => Parts(z[0].Real, -z[0].Imaginary);
}
