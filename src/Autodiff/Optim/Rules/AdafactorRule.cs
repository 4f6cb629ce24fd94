using System.Numerics;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim.Rules;

// v of a matrix as the product of the means of its rows and of its columns: v_ij = r_i c_j / mean r, with the decay
// 1 - t^-0.8; u = g / √v, cut to a root mean square of 1; w -= rate (u + decay w) (Shazeer and Stern 2018)
// The state of a parameter holds the rows first, then the columns; a vector has a v of its own.
internal sealed class AdafactorRule(OptimizerSpec spec) : UpdateRule(spec)
{
    private const double Tiny = 1e-30;

    public override IReadOnlyList<string> StateNames => ["moment2"];

    public override bool NeedsParameters => true;

    public override void Apply<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters = default)
    {
        var fresh = Math.Pow(step.Step, -0.8);
        foreach (var p in parameters)
        {
            var moment = state[0].Span.Slice(p.Start, p.Length);
            var rows = p.Columns == 0 ? 0 : p.Length / p.Columns;
            // Factors only pay, and only fit into the state, where a matrix has more elements than both its sides.
            if (rows > 1 && p.Columns > 1 && rows + p.Columns <= p.Length)
                Factored(weights.Slice(p.Start, p.Length), gradient.Slice(p.Start, p.Length), moment, rows, p.Columns,
                    fresh, step);
            else Whole(weights.Slice(p.Start, p.Length), gradient.Slice(p.Start, p.Length), moment, fresh, step);
        }
    }

    private void Factored<T>(
        Span<T> w, ReadOnlySpan<T> g, Span<T> moment, int rows, int columns, double fresh, RuleStep step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var row = moment[..rows];
        var column = moment.Slice(rows, columns);
        var total = 0.0;
        for (var i = 0; i < rows; i++)
        {
            var sum = 0.0;
            for (var j = 0; j < columns; j++) sum += Square(g[(i * columns) + j], step);
            row[i] = Of<T>(((1 - fresh) * double.CreateTruncating(row[i])) + (fresh * sum / columns));
            total += double.CreateTruncating(row[i]);
        }

        for (var j = 0; j < columns; j++)
        {
            var sum = 0.0;
            for (var i = 0; i < rows; i++) sum += Square(g[(i * columns) + j], step);
            column[j] = Of<T>(((1 - fresh) * double.CreateTruncating(column[j])) + (fresh * sum / rows));
        }

        var mean = total / rows;
        var squares = 0.0;
        for (var k = 0; k < w.Length; k++)
        {
            var u = double.CreateTruncating(g[k]) * step.GradientScale
                / Math.Sqrt(double.CreateTruncating(row[k / columns]) * double.CreateTruncating(column[k % columns])
                    / mean);
            squares += u * u;
        }

        var cut = Math.Max(1, Math.Sqrt(squares / w.Length));
        for (var k = 0; k < w.Length; k++)
        {
            var u = double.CreateTruncating(g[k]) * step.GradientScale
                / Math.Sqrt(double.CreateTruncating(row[k / columns]) * double.CreateTruncating(column[k % columns])
                    / mean);
            w[k] -= Of<T>(step.Rate * ((u / cut) + (Spec.WeightDecay * double.CreateTruncating(w[k]))));
        }
    }

    private void Whole<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> moment, double fresh, RuleStep step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var squares = 0.0;
        for (var k = 0; k < w.Length; k++)
        {
            var square = Square(g[k], step);
            moment[k] = Of<T>(((1 - fresh) * double.CreateTruncating(moment[k])) + (fresh * square));
            var u = double.CreateTruncating(g[k]) * step.GradientScale / Math.Sqrt(double.CreateTruncating(moment[k]));
            squares += u * u;
        }

        var cut = Math.Max(1, Math.Sqrt(squares / Math.Max(w.Length, 1)));
        for (var k = 0; k < w.Length; k++)
        {
            var u = double.CreateTruncating(g[k]) * step.GradientScale / Math.Sqrt(double.CreateTruncating(moment[k]));
            w[k] -= Of<T>(step.Rate * ((u / cut) + (Spec.WeightDecay * double.CreateTruncating(w[k]))));
        }
    }

    private static double Square<T>(T g, RuleStep step) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var scaled = double.CreateTruncating(g) * step.GradientScale;
        return (scaled * scaled) + Tiny;
    }
}
