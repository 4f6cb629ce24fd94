namespace Convoy.Autodiff.Ops;

// y = the imaginary part of z        z -> y, a real tensor
internal sealed class ComplexImag() : ComplexOp(1)
{
    public override string Name => "complex-imag";

    private protected override Value[] Formula(ComplexValue[] z) => [z[0].Imaginary];
}
