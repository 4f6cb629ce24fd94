using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Complex numbers as two values of one shape: complex64 over float32, complex128 over float64. The gradient of a
/// real result
/// is kept as dL/dRe + i dL/dIm, which is twice the Wirtinger derivative with respect to the conjugate
/// (Kreutz-Delgado 2009):
/// the direction of steepest ascent.
/// </summary>
/// <param name="Real">The real part.</param>
/// <param name="Imaginary">The imaginary part, of the same type.</param>
public readonly record struct ComplexValue(Value Real, Value Imaginary)
{
    public TensorType Type => Real.Type;

    /// <summary>size (cos angle + i sin angle), the angle in radians.</summary>
    public static ComplexValue Polar(Value size, Value angle) => new(size * angle.Cos(), size * angle.Sin());

    public static ComplexValue operator +(ComplexValue a, ComplexValue b) =>
        new(a.Real + b.Real, a.Imaginary + b.Imaginary);
    public static ComplexValue operator -(ComplexValue a, ComplexValue b) =>
        new(a.Real - b.Real, a.Imaginary - b.Imaginary);
    public static ComplexValue operator -(ComplexValue a) => new(-a.Real, -a.Imaginary);
    public static ComplexValue operator *(ComplexValue a, Value b) => new(a.Real * b, a.Imaginary * b);
    public static ComplexValue operator /(ComplexValue a, Value b) => new(a.Real / b, a.Imaginary / b);

    public static ComplexValue operator *(ComplexValue a, ComplexValue b) => new(
        (a.Real * b.Real) - (a.Imaginary * b.Imaginary), (a.Real * b.Imaginary) + (a.Imaginary * b.Real));

    public static ComplexValue operator /(ComplexValue a, ComplexValue b) =>
        (a * b.Conj()) / (b.Real.Square() + b.Imaginary.Square());

    public ComplexValue Conj() => new(Real, -Imaginary);

    /// <summary>The distance from 0; its gradient at 0 is 0.</summary>
    public Value Abs() => Real.Hypot(Imaginary);

    /// <summary>The angle in radians, in (-π, π].</summary>
    public Value Angle() => Imaginary.Atan2(Real);

    public ComplexValue Exp() => Polar(Real.Exp(), Imaginary);

    public ComplexValue Log() => new(Abs().Log(), Angle());

    /// <summary>Matrix product over the last two dimensions.</summary>
    public ComplexValue MatMul(ComplexValue b) => new(
        Real.MatMul(b.Real) - Imaginary.MatMul(b.Imaginary), Real.MatMul(b.Imaginary) + Imaginary.MatMul(b.Real));

    public ComplexValue Sum(params int[] axes) => new(Real.Sum(axes), Imaginary.Sum(axes));

    /// <summary>dL/dRe + i dL/dIm of a real result for complex variables.</summary>
    public static IReadOnlyList<(Tensor Real, Tensor Imaginary)> Gradient(Variable loss,
        IReadOnlyList<ComplexValue> inputs)
    {
        Variable[] parts = [.. inputs.SelectMany(z => new[] { (Variable)z.Real, (Variable)z.Imaginary })];
        var found = Differentiate.Gradient([loss], parts);
        return [.. inputs.Select((_, i) => (found[2 * i].Data, found[(2 * i) + 1].Data))];
    }
}
