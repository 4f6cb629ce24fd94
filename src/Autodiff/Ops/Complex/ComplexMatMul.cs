namespace Convoy.Autodiff.Ops;

// z = a b        a_..MK, b_..KN -> z_..MN, leading dimensions repeated where 1
internal sealed class ComplexMatMul() : ComplexOp(2)
{
    public override string Name => "complex-matmul";

    private protected override Value[] Formula(ComplexValue[] z)
    {
        var (a, b) = (z[0], z[1]);
        return Parts(
            a.Real.MatMul(b.Real) - a.Imaginary.MatMul(b.Imaginary),
            a.Real.MatMul(b.Imaginary) + a.Imaginary.MatMul(b.Real));
    }
}
