using System.Numerics;
using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// CPX-01, CPX-02: complex arithmetic against System.Numerics, gradients against their formulas and finite differences,
/// the first NaN. Each operator has its row in the matrix besides.
/// </summary>
public sealed class ComplexTests
{
    private static readonly Complex[] A = [new(1, 2), new(-0.5, 0.3), new(2, -1), new(0.1, 0.7)];
    private static readonly Complex[] B = [new(0.4, -1), new(1.5, 0.2), new(-2, 0.6), new(0.9, 0.9)];

    [Fact]
    public void Arithmetic_IsThatOfTheFramework()
    {
        var (a, b) = (Of(A), Of(B));
        Near(A.Zip(B, (x, y) => x * y), a * b);
        Near(A.Zip(B, (x, y) => x / y), a / b);
        Near(A.Select(v => Complex.Exp(v)), a.Exp());
        Near(A.Select(v => Complex.Log(v)), a.Log());
        Near(A.Select(v => Complex.Conjugate(v)), a.Conj());
        Assert.All(A.Zip(Numbers(a.Abs())), p => Assert.Equal(p.First.Magnitude, p.Second, 12));
        Assert.All(A.Zip(Numbers(a.Angle())), p => Assert.Equal(p.First.Phase, p.Second, 12));
        Near(
            [(A[0] * B[0]) + (A[1] * B[2]), (A[0] * B[1]) + (A[1] * B[3]), (A[2] * B[0]) + (A[3] * B[2]),
                (A[2] * B[1]) + (A[3] * B[3])],
            Of(A, 2, 2).MatMul(Of(B, 2, 2)));
    }

    [Fact]
    public void Gradients_AreTheirWirtingerFormulas()
    {
        // |z|² has 2z, |z| has z / |z|, the angle has i z / |z|², Re(c z) has the conjugate of c.
        var z = Of(A, free: true);
        Check(A.Select(v => 2 * v), (z * z.Conj()).Real.Sum());
        Check(A.Select(v => v / v.Magnitude), z.Abs().Sum());
        Check(A.Select(v => Complex.ImaginaryOne * v / (v.Magnitude * v.Magnitude)), z.Angle().Sum());
        Check(B.Select(v => Complex.Conjugate(v)), (z * Of(B)).Real.Sum());

        void Check(IEnumerable<Complex> expected, Value loss)
        {
            var (real, imaginary) = ComplexValue.Gradient((Variable)loss, [z])[0];
            Near(expected, new ComplexValue(new Variable(real), new Variable(imaginary)));
        }
    }

    [Fact]
    public void Gradients_AreFiniteDifferences()
    {
        Tensor[] parts =
            [Part(A, v => v.Real), Part(A, v => v.Imaginary), Part(B, v => v.Real), Part(B, v => v.Imaginary)];
        var results = GradCheck.Run(x =>
        {
            var (a, b) = (new ComplexValue(x[0], x[1]), new ComplexValue(x[2], x[3]));
            var y = ((a * b.Exp()) / (a + b)).Log() - (b.Conj() * a);
            return (Variable)Functions.Concat(0, y.Real, y.Imaginary, y.Abs());
        }, parts);
        Assert.All(results, r => Assert.True(GradCheck.Passes(r), r.ToString()));
    }

    [Fact]
    public void Complex64_RunsOnFloat32()
    {
        var z = new ComplexValue(new Variable(Part(A, v => v.Real).Cast(DType.Float32)),
            new Variable(Part(A, v => v.Imaginary).Cast(DType.Float32)));
        Assert.Equal(DType.Float32, (z * z).Type.DType);
        Assert.All(A.Zip(Numbers((z * z).Imaginary)), p => Assert.Equal((p.First * p.First).Imaginary, p.Second, 1e-6));
    }

    /// <summary>
    /// CPX-01: a holomorphic function has df/dz times the conjugate; conj, |z| and angle end on real numbers.
    /// </summary>
    [Fact]
    public void Gradient_OfAHolomorphicFunction_IsTheConjugateOfItsDerivative()
    {
        var z = Of(A, free: true);
        var loss = (Variable)(z.Exp() * z).Real.Sum();
        var (real, imaginary) = ComplexValue.Gradient(loss, [z])[0];
        Near(A.Select(v => Complex.Conjugate((Complex.Exp(v) * v) + Complex.Exp(v))),
            new ComplexValue(new Variable(real), new Variable(imaginary)));
    }

    [Fact]
    public void Division_NeitherOverflowsNorVanishes()
    {
        Complex[] large = [new(1e200, 2e200), new(3e-200, -1e-200), new(1e300, 0), new(0, 1e-300)];
        var y = Of(large) / Of(large);
        Assert.All(Numbers(y.Real), v => Assert.Equal(1, v, 12));
        Assert.All(Numbers(y.Imaginary), v => Assert.Equal(0, v, 12));
    }

    /// <summary>CPX-02: the operator on complex numbers is named, beside the part of its formula.</summary>
    [Fact]
    public void Anomaly_NamesTheComplexOperator()
    {
        var z = Of([new Complex(0, 0)]);
        using var scope = AnomalyMode.On(step: 7);
        var error = Assert.Throws<AnomalyException>(() => Of([Complex.One]) / z);
        Assert.Contains("in complex-divide", error.Message, StringComparison.Ordinal);
        Assert.Contains("step 7", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_GoInAndOut_InBothTypes()
    {
        var z = ComplexValue.Of(A, new Shape(2, 2));
        Assert.Equal(A, z.ToArray());
        Assert.Equal("complex128[2, 2]", z.Text);
        var half = ComplexValue.Of(A, new Shape(4), ComplexType.Complex64, requiresGradient: true);
        Assert.Equal((ComplexType.Complex64, "complex64[4]"), (half.DType, half.Text));
        Assert.All(A.Zip(half.Sqrt().ToArray()), p => Assert.True((Complex.Sqrt(p.First) - p.Second).Magnitude < 1e-6));
        ((Variable)(half * half.Conj()).Real.Sum()).Backward();
        Assert.Equal((float)(2 * A[0].Real), ((Variable)half.Real).Gradient!.ToArray<float>()[0]);
        Near([Complex.Conjugate(A[0]), Complex.Conjugate(A[2]), Complex.Conjugate(A[1]), Complex.Conjugate(A[3])],
            z.Adjoint().Reshape(4));
        Near(A.Select(v => v * new Complex(0, 2)), z.Reshape(4) * new Complex(0, 2));
        Near(A.Zip(B, Complex.Pow), Of(A).Pow(Of(B)));
    }

    [Fact]
    public void Errors_NameComplexTypes()
    {
        var (z, w) = (ComplexValue.Of(A, new Shape(4)), ComplexValue.Of(A[..3], new Shape(3)));
        Assert.EndsWith("(operands complex128[4], complex128[3])",
            Assert.Throws<ShapeException>(() => z * w).Message, StringComparison.Ordinal);
        Assert.Equal("complex-add: takes one element type, not complex128[4] and complex64[4]: make both of one type",
            Assert.Throws<ShapeException>(() => z + ComplexValue.Of(A, new Shape(4), ComplexType.Complex64)).Message);
    }

    /// <summary>CPX-01: both derivatives, through real values in between and back.</summary>
    [Fact]
    public void Wirtinger_HasBothDerivatives()
    {
        var square = Wirtinger.Of(z => z * z, A);
        Assert.True(square.IsHolomorphic());
        var size = Wirtinger.Of(z => z * z.Conj(), A);
        Assert.False(size.IsHolomorphic());
        // |z| e^z: ∂/∂z is e^z (|z| + z̄/2|z|), ∂/∂z̄ is e^z z/2|z|.
        var mixed = Wirtinger.Of(z => z.Exp() * z.Abs(), A);
        for (var i = 0; i < A.Length; i++)
        {
            Near(2 * A[i], square.ByZ[i, i]);
            Near(Complex.Conjugate(A[i]), size.ByZ[i, i]);
            Near(A[i], size.ByConjugate[i, i]);
            var (power, twice) = (Complex.Exp(A[i]), 2 * A[i].Magnitude);
            Near(power * (A[i].Magnitude + (Complex.Conjugate(A[i]) / twice)), mixed.ByZ[i, i]);
            Near(power * A[i] / twice, mixed.ByConjugate[i, i]);
            Assert.Equal(Complex.Zero, square.ByZ[i, (i + 1) % A.Length]);
        }

        static void Near(Complex expected, Complex actual) =>
            Assert.True((expected - actual).Magnitude < 1e-12, $"{expected} {actual}");
    }

    [Fact]
    public void Parts_OfUnlikeTypes_AreRefused()
    {
        var square = Part(A, v => v.Imaginary).Reshape(new Shape(2, 2));
        var z = new ComplexValue(new Variable(Part(A, v => v.Real)), new Variable(square));
        var error = Assert.Throws<ShapeException>(() => z.Exp());
        Assert.StartsWith("complex-exp: real part float64[4] and imaginary part float64[2, 2]", error.Message,
            StringComparison.Ordinal);
    }

    private static ComplexValue Of(Complex[] values, params int[] dims) => Of(values, false, dims);

    private static ComplexValue Of(Complex[] values, bool free, params int[] dims)
    {
        var shape = dims.Length == 0 ? new Shape(values.Length) : new Shape(dims);
        return new ComplexValue(
            new Variable(Part(values, v => v.Real).Reshape(shape), free),
                new Variable(Part(values, v => v.Imaginary).Reshape(shape), free));
    }

    private static Tensor Part(Complex[] values, Func<Complex, double> part) =>
        Tensor.Of<double>([.. values.Select(part)], values.Length);

    private static double[] Numbers(Value v) => ((Variable)v).Data.Cast(DType.Float64).ToArray<double>();

    private static void Near(IEnumerable<Complex> expected, ComplexValue actual)
    {
        var (real, imaginary) = (Numbers(actual.Real), Numbers(actual.Imaginary));
        Assert.All(expected.Select((e, i) => (e, i)), p =>
        {
            Assert.Equal(p.e.Real, real[p.i], 12);
            Assert.Equal(p.e.Imaginary, imaginary[p.i], 12);
        });
    }
}
