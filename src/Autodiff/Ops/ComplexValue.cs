using System.Numerics;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>Element types of complex numbers: two floats of half the size, real part first.</summary>
public enum ComplexType
{
    /// <summary>Two float32.</summary>
    Complex64,
    /// <summary>Two float64.</summary>
    Complex128,
}

/// <summary>
/// Complex numbers as two values of one type: complex64 over float32, complex128 over float64. The gradient of a real
/// result is kept as dL/dRe + i dL/dIm, which is twice the Wirtinger derivative with respect to the conjugate
/// (Kreutz-Delgado 2009):
/// the direction of steepest ascent; <see cref="Wirtinger"/> has both derivatives of a complex result.
/// </summary>
/// <param name="Real">The real part.</param>
/// <param name="Imaginary">The imaginary part, of the same type.</param>
public readonly record struct ComplexValue(Value Real, Value Imaginary)
{
    /// <summary>Shape, and element type of each part.</summary>
    public TensorType Type => Real.Type;

    /// <summary>Complex64 where the parts are float32, else complex128.</summary>
    public ComplexType DType => Type.DType == Convoy.Shared.Tensors.DType.Float32
        ? ComplexType.Complex64 : ComplexType.Complex128;

    /// <summary>Element type and shape as errors show them: <c>complex64[2, 3]</c>.</summary>
    public string Text => $"{(DType == ComplexType.Complex64 ? "complex64" : "complex128")}{Type.Text}";

    /// <summary>Eager numbers in row order.</summary>
    /// <param name="numbers">As many as the shape has elements.</param>
    /// <param name="shape">Of both parts.</param>
    /// <param name="type">Complex64 rounds each part to float32.</param>
    /// <param name="requiresGradient">Both parts ask for gradients.</param>
    public static ComplexValue Of(
        ReadOnlySpan<Complex> numbers, Shape shape, ComplexType type = ComplexType.Complex128,
        bool requiresGradient = false)
    {
        var (real, imaginary) = (new double[numbers.Length], new double[numbers.Length]);
        for (var i = 0; i < numbers.Length; i++) (real[i], imaginary[i]) = (numbers[i].Real, numbers[i].Imaginary);
        return new ComplexValue(Part(real), Part(imaginary));

        Variable Part(double[] part) => new(
            Tensor.Of<double>(part, shape).Cast(
                type == ComplexType.Complex64 ? Convoy.Shared.Tensors.DType.Float32
                    : Convoy.Shared.Tensors.DType.Float64),
            requiresGradient);
    }

    /// <summary>The numbers of an eager value in row order.</summary>
    public Complex[] ToArray()
    {
        var (real, imaginary) = (Doubles(Real), Doubles(Imaginary));
        var numbers = new Complex[real.Length];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = new Complex(real[i], imaginary[i]);
        return numbers;
    }

    /// <summary>size (cos angle + i sin angle), the angle in radians.</summary>
    public static ComplexValue Polar(Value size, Value angle) => new(size * angle.Cos(), size * angle.Sin());

    /// <summary>Element by element, dimensions of size 1 repeated.</summary>
    public static ComplexValue operator +(ComplexValue a, ComplexValue b) => a.Pair(OpTable.ComplexAdd, b);

    /// <summary>Element by element, dimensions of size 1 repeated.</summary>
    public static ComplexValue operator -(ComplexValue a, ComplexValue b) => a.Pair(OpTable.ComplexSubtract, b);

    /// <summary>Times one number.</summary>
    public static ComplexValue operator *(ComplexValue a, Complex b) =>
        a * new ComplexValue(a.Real.Constant(b.Real), a.Real.Constant(b.Imaginary));

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

    /// <summary>The square root of the angle in (-π/2, π/2]; its gradient at 0 is not finite.</summary>
    public ComplexValue Sqrt() => Of(Results(OpTable.ComplexSqrt));

    /// <summary>e^(b ln this), the principal value; this is not 0.</summary>
    public ComplexValue Pow(ComplexValue b) => Pair(OpTable.ComplexPow, b);

    /// <summary>The last two dimensions exchanged.</summary>
    public ComplexValue Transpose() => new(Real.Transpose(), Imaginary.Transpose());

    /// <summary>The conjugate of the transpose.</summary>
    public ComplexValue Adjoint() => Transpose().Conj();

    /// <summary>The same numbers in row order under another shape.</summary>
    public ComplexValue Reshape(params ReadOnlySpan<Dim> dims) => new(Real.Reshape(dims), Imaginary.Reshape(dims));

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

    private static double[] Doubles(Value part) => part is Variable eager
        ? eager.Data.Cast(Convoy.Shared.Tensors.DType.Float64).ToArray<double>()
        : throw new ShapeException("a value of a graph has no numbers before it runs");

    private ComplexValue Pair(Op op, ComplexValue b) =>
        Of(Real.Builder.Apply(op, Attributes.None, [Real, Imaginary, b.Real, b.Imaginary]));

    private Value[] Results(Op op) => Real.Builder.Apply(op, Attributes.None, [Real, Imaginary]);

    private static ComplexValue Of(Value[] parts) => new(parts[0], parts[1]);
}
