namespace Convoy.Autodiff.Ops;

/// <summary>
/// An operator on complex numbers. Operands and results are pairs of one type, real part and imaginary part:
/// complex64 over float32, complex128 over float64. Derivatives follow from the formula on the parts; put together as
/// dL/dRe + i dL/dIm they are twice the Wirtinger derivative with respect to the conjugate (Kreutz-Delgado 2009).
/// </summary>
internal abstract class ComplexOp(int operands) : CompositeOp
{
    private protected override (int Least, int Most) Arity => (2 * operands, 2 * operands);

    private protected abstract Value[] Formula(ComplexValue[] z);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var z = new ComplexValue[x.Length / 2];
        for (var i = 0; i < z.Length; i++)
        {
            z[i] = new ComplexValue(x[2 * i], x[(2 * i) + 1]);
            Require(z[i].Real.Type.Equals(z[i].Imaginary.Type),
                $"real part {z[i].Real.Type} and imaginary part {z[i].Imaginary.Type} of operand {i} differ");
        }

        for (var i = 1; i < z.Length; i++)
            Require(z[i].Type.DType == z[0].Type.DType,
                $"takes one element type, not {z[0].Text} and {z[i].Text}: make both of one type");
        return Formula(z);
    }

    // In pairs, by the type that they make together.
    internal override string Shown(ReadOnlySpan<Value> inputs) =>
        string.Join(", ", inputs.ToArray().Where((_, i) => i % 2 == 0).Select(re => new ComplexValue(re, re).Text));

    private protected static Value[] Parts(Value real, Value imaginary) => [real, imaginary];
}
