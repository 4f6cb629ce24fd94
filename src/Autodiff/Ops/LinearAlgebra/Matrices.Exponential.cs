using Convoy.Shared.Numerics;
namespace Convoy.Autodiff.Ops;

// The exponential of a matrix.
internal static partial class Matrices
{
    /// <summary>
    /// e^a by halving until its norm is under a half, eighteen terms of the series, and squaring back.
    /// </summary>
    public static void Exp(ReadOnlySpan<double> a, int n, Span<double> y)
    {
        var norm = 0.0;
        for (var i = 0; i < n; i++)
        {
            var row = 0.0;
            for (var j = 0; j < n; j++) row += Math.Abs(a[(i * n) + j]);
            norm = Math.Max(norm, row);
        }

        if (!double.IsFinite(norm))
        {
            y.Fill(double.NaN);
            return;
        }

        var halvings = norm <= 0.5 ? 0 : (int)Math.Ceiling(PortableMath.Log2(norm / 0.5));
        var scaled = a.ToArray();
        var scale = Math.ScaleB(1, -halvings);
        for (var i = 0; i < scaled.Length; i++) scaled[i] *= scale;
        var power = new double[n * n];
        y.Clear();
        for (var i = 0; i < n; i++) (power[(i * n) + i], y[(i * n) + i]) = (1, 1);
        for (var term = 1; term <= 18; term++)
        {
            power = Product(power, scaled, n);
            for (var i = 0; i < power.Length; i++) y[i] += power[i] /= term;
        }

        for (var h = 0; h < halvings; h++) Product(y, y, n).CopyTo(y);
    }

    private static double[] Product(ReadOnlySpan<double> a, ReadOnlySpan<double> b, int n)
    {
        var c = new double[n * n];
        for (var i = 0; i < n; i++)
        {
            for (var k = 0; k < n; k++)
            {
                var x = a[(i * n) + k];
                for (var j = 0; j < n; j++) c[(i * n) + j] += x * b[(k * n) + j];
            }
        }

        return c;
    }
}
