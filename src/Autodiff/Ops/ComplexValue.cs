using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Complex numbers as two values of one type: complex64 over float32, complex128 over float64. The gradient of a real
/// result is kept as dL/dRe + i dL/dIm, which is twice the Wirtinger derivative with respect to the conjugate
/// (Kreutz-Delgado 2009):
/// the direction of steepest ascent.
/// </summary>
/// <param name="Real">The real part.</param>
/// <param name="Imaginary">The imaginary part, of the same type.</param>
public readonly record struct ComplexValue(Value Real, Value Imaginary)
{
    /// <summary>Shape, and element type of each part.</summary>
    public TensorType Type => Real.Type;

    /// <summary>size (cos angle + i sin angle), the angle in radians.</summary>
    public static ComplexValue Polar(Value size, Value angle) => new(size * angle.Cos(), size * angle.Sin());

    /// <summary>Element by element, dimensions of size 1 repeated.</summary>
    public static ComplexValue operator +(ComplexValue a, ComplexValue b) => a.Pair(OpTable.ComplexAdd, b);

    /// <summary>Element by element, dimensions of size 1 repeated.</summary>
    public static ComplexValue operator -(ComplexValue a, ComplexValue b) => a.Pair(OpTable.ComplexSubtract, b);

    /// <summary>Both parts negated.</summary>
    public static ComplexValue operator -(ComplexValue a) => new(-a.Real, -a.Imaginary);

    /// <summary>Times a real value, dimensions of size 1 repeated.</summary>
    public static ComplexValue operator *(ComplexValue a, Value b) => new(a.Real * b, a.Imaginary * b);

    /// <summary>Divided by a real value, dimensions of size 1 repeated.</summary>
    public static ComplexValue operator /(ComplexValue a, Value b) => new(a.Real / b, a.Imaginary / b);

    /// <summary>(a + bi)(c + di) = ac - bd + (ad + bc)i, element by element.</summary>
    public static ComplexValue operator *(ComplexValue a, ComplexValue b) => a.Pair(OpTable.ComplexMultiply, b);

    /// <summary>a b̄ / |b|², element by element.</summary>
    public static ComplexValue operator /(ComplexValue a, ComplexValue b) => a.Pair(OpTable.ComplexDivide, b);

    /// <summary>The imaginary part negated.</summary>
    public ComplexValue Conj() => Of(Results(OpTable.ComplexConj));

    /// <summary>The distance from 0; its gradient at 0 is 0.</summary>
    public Value Abs() => Results(OpTable.ComplexAbs)[0];

    /// <summary>The angle in radians, in (-π, π].</summary>
    public Value Angle() => Results(OpTable.ComplexAngle)[0];

    /// <summary>e^Re (cos Im + i sin Im).</summary>
    public ComplexValue Exp() => Of(Results(OpTable.ComplexExp));

    /// <summary>The principal value: the angle is in (-π, π].</summary>
    public ComplexValue Log() => Of(Results(OpTable.ComplexLog));

    /// <summary>Matrix product over the last two dimensions.</summary>
    public ComplexValue MatMul(ComplexValue b) => Pair(OpTable.ComplexMatMul, b);

    /// <summary>Both parts summed over the axes; none means all.</summary>
    public ComplexValue Sum(params int[] axes) => new(Real.Sum(axes), Imaginary.Sum(axes));

    /// <summary>dL/dRe + i dL/dIm of a real result for complex variables.</summary>
    public static IReadOnlyList<(Tensor Real, Tensor Imaginary)> Gradient(Variable loss,
        IReadOnlyList<ComplexValue> inputs)
    {
        Variable[] parts = [.. inputs.SelectMany(z => new[] { (Variable)z.Real, (Variable)z.Imaginary })];
        var found = Differentiate.Gradient([loss], parts);
        return [.. inputs.Select((_, i) => (found[2 * i].Data, found[(2 * i) + 1].Data))];
    }

    private ComplexValue Pair(Op op, ComplexValue b) =>
        Of(Real.Builder.Apply(op, Attributes.None, [Real, Imaginary, b.Real, b.Imaginary]));

    private Value[] Results(Op op) => Real.Builder.Apply(op, Attributes.None, [Real, Imaginary]);

    private static ComplexValue Of(Value[] parts) => new(parts[0], parts[1]);
}
