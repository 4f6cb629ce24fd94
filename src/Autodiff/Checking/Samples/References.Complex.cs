using System.Numerics;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Complex numbers by their definitions; both parts of a result have a reference.
internal static partial class References
{
    private static void AddComplex(Dictionary<Op, Reference> real, Dictionary<Op, Reference> imaginary)
    {
        void F(Op op, Func<Complex, Complex> f) => Both(op, (s, i) => f(Number(s, 0, i)));
        void P(Op op, Func<Complex, Complex, Complex> f) => Both(op, (s, i) => f(Number(s, 0, i), Number(s, 1, i)));
        void R(Op op, Func<Complex, double> f) => real[op] = (s, i) => f(Number(s, 0, i));
        void Both(Op op, Func<OpSample, int[], Complex> f)
        {
            real[op] = (s, i) => f(s, i).Real;
            imaginary[op] = (s, i) => f(s, i).Imaginary;
        }

        F(OpTable.ComplexConj, z => new Complex(z.Real, 0 - z.Imaginary));
        F(OpTable.ComplexExp,
            z => Series.Exp(z.Real) * new Complex(Series.Cos(z.Imaginary), Series.Sin(z.Imaginary)));
        F(OpTable.ComplexLog, z => new Complex(Series.Ln(Size(z)), Angle(z)));
        // Its square is the number, and its real part is not negative.
        F(OpTable.ComplexSqrt, z => new Complex(
            Math.Sqrt((Size(z) + z.Real) / 2),
            (z.Imaginary < 0 ? -1 : 1) * Math.Sqrt((Size(z) - z.Real) / 2)));
        // The series of e^x loses digits at the exponents that come up here.
        P(OpTable.ComplexPow, Complex.Pow);
        P(OpTable.ComplexAdd, (a, b) => new Complex(a.Real + b.Real, a.Imaginary + b.Imaginary));
        P(OpTable.ComplexSubtract, (a, b) => new Complex(a.Real - b.Real, a.Imaginary - b.Imaginary));
        P(OpTable.ComplexMultiply, Complex.Multiply);
        P(OpTable.ComplexDivide, Complex.Divide);
        R(OpTable.ComplexReal, z => z.Real);
        R(OpTable.ComplexImag, z => z.Imaginary);
        R(OpTable.ComplexAbs, Size);
        R(OpTable.ComplexAngle, Angle);
        Both(OpTable.ComplexMatMul, (s, i) =>
        {
            var (sum, lead) = (Complex.Zero, i[..^2]);
            for (var k = 0; k < s.Inputs[0].Shape[-1]; k++)
                sum += Number(s, 0, [.. lead, i[^2], k]) * Number(s, 1, [.. lead, k, i[^1]]);
            return sum;
        });
    }

    private static double Size(Complex z) => Math.Sqrt((z.Real * z.Real) + (z.Imaginary * z.Imaginary));

    private static double Angle(Complex z) => Series.Atan(z.Imaginary / z.Real)
        + (z.Real > 0 ? 0 : z.Imaginary > 0 ? Math.PI : -Math.PI);

    private static Complex Number(OpSample sample, int operand, int[] place) => new(
        Repeated(sample.Inputs[2 * operand], place), Repeated(sample.Inputs[(2 * operand) + 1], place));
}
