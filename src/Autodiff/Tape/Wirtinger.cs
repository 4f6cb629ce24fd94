using System.Numerics;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// Derivatives of complex functions of complex numbers as if z and its conjugate were independent:
/// ∂f/∂z = ½ (∂f/∂x - i ∂f/∂y) and ∂f/∂z̄ = ½ (∂f/∂x + i ∂f/∂y) at z = x + iy (Wirtinger 1927; Kreutz-Delgado 2009).
/// The second one is 0 everywhere for holomorphic functions, whose derivative is then the first one.
/// </summary>
/// <param name="ByZ">∂f_i/∂z_j at [i, j], results and numbers in row order.</param>
/// <param name="ByConjugate">∂f_i/∂z̄_j at [i, j].</param>
public sealed record Wirtinger(Complex[,] ByZ, Complex[,] ByConjugate)
{
    /// <summary>Both derivatives of f at the numbers z, in complex128.</summary>
    /// <param name="f">Of a vector of as many numbers as z has; its result may have any shape.</param>
    /// <param name="z">Where.</param>
    public static Wirtinger Of(Func<ComplexValue, ComplexValue> f, IReadOnlyList<Complex> z)
    {
        var n = z.Count;
        if (n == 0) throw new ShapeException("wirtinger: there are no numbers to differentiate by");
        double[] parts = [.. z.Select(v => v.Real), .. z.Select(v => v.Imaginary)];
        var jacobian = Derivatives.Jacobian(x => Parts(f(new ComplexValue(x.Slice(0, 0, n), x.Slice(0, n, n)))),
            Tensor.Of<double>(parts, new Shape(2 * n))).ToArray<double>();
        var m = jacobian.Length / (2 * n) / 2;
        var (byZ, byConjugate) = (new Complex[m, n], new Complex[m, n]);
        for (var i = 0; i < m; i++)
        {
            for (var j = 0; j < n; j++)
            {
                var byX = new Complex(At(i, j), At(m + i, j));
                var byY = new Complex(At(i, n + j), At(m + i, n + j)) * Complex.ImaginaryOne;
                (byZ[i, j], byConjugate[i, j]) = ((byX - byY) / 2, (byX + byY) / 2);
            }
        }

        return new Wirtinger(byZ, byConjugate);

        double At(int row, int column) => jacobian[(row * 2 * n) + column];
    }

    /// <summary>
    /// Whether f meets the equations of Cauchy and Riemann there: no element of ∂f/∂z̄ is larger than
    /// <paramref name="tolerance"/> times the largest of ∂f/∂z, or than it alone.
    /// </summary>
    public bool IsHolomorphic(double tolerance = 1e-9)
    {
        var largest = ByZ.Cast<Complex>().Select(d => d.Magnitude).Append(1).Max();
        return ByConjugate.Cast<Complex>().All(d => d.Magnitude <= tolerance * largest);
    }

    private static Variable Parts(ComplexValue y)
    {
        var count = checked((int)y.Type.Coefficient);
        return (Variable)Functions.Concat(0, y.Real.Reshape(count), y.Imaginary.Reshape(count));
    }
}
