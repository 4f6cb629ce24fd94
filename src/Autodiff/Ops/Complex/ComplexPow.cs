namespace Convoy.Autodiff.Ops;

// z = a^b = e^(b ln a), the principal value; a is not 0        a, b -> z, dimensions of size 1 repeated
internal sealed class ComplexPow() : ComplexOp(2)
{
    public override string Name => "complex-pow";

    private protected override Value[] Formula(ComplexValue[] z)
    {
        var power = (z[1] * z[0].Log()).Exp();
        return Parts(power.Real, power.Imaginary);
    }
}
