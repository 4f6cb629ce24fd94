namespace Convoy.Autodiff.Ops;

// y = the real part of z        z -> y, a real tensor
internal sealed class ComplexReal() : ComplexOp(1)
{
    public override string Name => "complex-real";

    private protected override Value[] Formula(ComplexValue[] z) => [z[0].Real];
}
