namespace Convoy.Autodiff.Ops;

// z = a / b = a conj(b) / |b|², with b brought near 1 first so that its square neither overflows nor vanishes
// a, b -> z, dimensions of size 1 repeated
internal sealed class ComplexDivide() : ComplexOp(2)
{
    public override string Name => "complex-divide";

    private protected override Value[] Formula(ComplexValue[] z)
    {
        var (a, b) = (z[0], z[1]);
        // The quotient does not depend on the size, so no gradient goes through it.
        var size = b.Real.Abs().Maximum(b.Imaginary.Abs()).StopGradient();
        var (re, im) = (b.Real / size, b.Imaginary / size);
        var square = (re.Square() + im.Square()) * size;
        return Parts(
            ((a.Real * re) + (a.Imaginary * im)) / square, ((a.Imaginary * re) - (a.Real * im)) / square);
    }
}
