using Convoy.Shared.Numerics;
using System.Numerics;
using Convoy.Autodiff.Execution;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Optim.Rules;

// Shazeer and Stern 2018. v of a matrix as the product of the means of its rows and of its columns:
// v_ij = r_i c_j / mean r, with the decay 1 - t^-0.8; u = g / √v, cut to a root mean square of d (update_clip);
// w -= α u + rate decay w. α is the rate, or with relative_step max(1e-3, RMS(w)) min(rate, t^-1/2).
// A tensor of more dimensions is the matrix of its first one against the others; a vector has a v of its own. State
// holds, parameter after parameter, rows then columns, or v: a function of the parameters alone, so that
// whoever applies a step or loads a checkpoint finds the same.
internal sealed class AdafactorRule(OptimizerSpec spec) : UpdateRule(spec)
{
    private const double Tiny = 1e-30;
    private const double SizeMin = 1e-3;
    private const string Name = "moment2";

    public override IReadOnlyList<string> StateNames => [Name];

    public override bool NeedsParameters => true;

    private protected override bool KeepsLess => true;

    public override IReadOnlyList<StateVector> States(ParameterLayout layout)
    {
        var tensors = new List<StateTensor>();
        long at = 0;
        foreach (var slot in layout.Slots)
        {
            var p = ParameterSpan.Of(slot);
            if (RowsOf(p) is var rows && rows > 0)
            {
                tensors.Add(new StateTensor($"{Name}.rows", slot.Name, new Shape(rows), at));
                tensors.Add(new StateTensor($"{Name}.columns", slot.Name, new Shape(p.Columns), at + rows));
            }
            else tensors.Add(new StateTensor(Name, slot.Name, slot.Shape, at));

            at += Remembered(p);
        }

        return [new StateVector(at, tensors)];
    }

    private protected override void Update<T>(
        Span<T> weights, ReadOnlySpan<T> gradient, IReadOnlyList<Memory<T>> state, RuleStep step,
        ReadOnlySpan<ParameterSpan> parameters)
    {
        var fresh = PortableMath.Pow(step.Step, -0.8);
        var at = 0;
        foreach (var p in parameters)
        {
            var moment = state[0].Span.Slice(at, Remembered(p));
            var w = weights.Slice(p.Start, p.Length);
            var g = gradient.Slice(p.Start, p.Length);
            if (RowsOf(p) is var rows && rows > 0) Factored(w, g, moment, rows, p.Columns, fresh, step);
            else Whole(w, g, moment, fresh, step);
            at += moment.Length;
        }
    }

    // Factors only pay where a matrix has more elements than both its sides.
    private static int RowsOf(ParameterSpan p)
    {
        var rows = p.Columns == 0 ? 0 : p.Length / p.Columns;
        return rows > 1 && p.Columns > 1 && rows + p.Columns < p.Length ? rows : 0;
    }

    private static int Remembered(ParameterSpan p) => RowsOf(p) is var rows && rows > 0 ? rows + p.Columns : p.Length;

    private void Factored<T>(
        Span<T> w, ReadOnlySpan<T> g, Span<T> moment, int rows, int columns, double fresh, RuleStep step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var row = moment[..rows];
        var column = moment.Slice(rows, columns);
        var mean = Follow(g, row, column, fresh, step.GradientScale) / rows;
        var squares = 0.0;
        for (var i = 0; i < rows; i++)
        {
            var line = g.Slice(i * columns, columns);
            var r = double.CreateTruncating(row[i]);
            for (var j = 0; j < line.Length; j++)
            {
                var u = double.CreateTruncating(line[j]) * step.GradientScale
                    / Math.Sqrt(r * double.CreateTruncating(column[j]) / mean);
                squares += u * u;
            }
        }

        var (size, decay) = SizesOf(w, squares, step);
        for (var i = 0; i < rows; i++)
        {
            var line = g.Slice(i * columns, columns);
            var r = double.CreateTruncating(row[i]);
            var to = w.Slice(i * columns, columns);
            for (var j = 0; j < line.Length; j++)
            {
                var u = double.CreateTruncating(line[j]) * step.GradientScale
                    / Math.Sqrt(r * double.CreateTruncating(column[j]) / mean);
                to[j] -= Of<T>((size * u) + (decay * double.CreateTruncating(to[j])));
            }
        }
    }

    // Means of squares over rows and over columns, followed; returns the sum over rows.
    private static double Follow<T>(ReadOnlySpan<T> g, Span<T> row, Span<T> column, double fresh, double scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (rows, columns, total) = (row.Length, column.Length, 0.0);
        for (var i = 0; i < rows; i++)
        {
            var sum = 0.0;
            for (var j = 0; j < columns; j++) sum += Square(g[(i * columns) + j], scale);
            row[i] = Of<T>(((1 - fresh) * double.CreateTruncating(row[i])) + (fresh * sum / columns));
            total += double.CreateTruncating(row[i]);
        }

        for (var j = 0; j < columns; j++)
        {
            var sum = 0.0;
            for (var i = 0; i < rows; i++) sum += Square(g[(i * columns) + j], scale);
            column[j] = Of<T>(((1 - fresh) * double.CreateTruncating(column[j])) + (fresh * sum / rows));
        }

        return total;
    }

    private void Whole<T>(Span<T> w, ReadOnlySpan<T> g, Span<T> moment, double fresh, RuleStep step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var squares = 0.0;
        for (var k = 0; k < w.Length; k++)
        {
            var square = Square(g[k], step.GradientScale);
            moment[k] = Of<T>(((1 - fresh) * double.CreateTruncating(moment[k])) + (fresh * square));
            var u = double.CreateTruncating(g[k]) * step.GradientScale / Math.Sqrt(double.CreateTruncating(moment[k]));
            squares += u * u;
        }

        var (size, decay) = SizesOf(w, squares, step);
        for (var k = 0; k < w.Length; k++)
        {
            var u = double.CreateTruncating(g[k]) * step.GradientScale / Math.Sqrt(double.CreateTruncating(moment[k]));
            w[k] -= Of<T>((size * u) + (decay * double.CreateTruncating(w[k])));
        }
    }

    // Factors of the update, cut to its largest root mean square, and of the weights' pull to zero.
    private (double Update, double Decay) SizesOf<T>(ReadOnlySpan<T> w, double squares, RuleStep step)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var count = Math.Max(w.Length, 1);
        var cut = Math.Max(1, Math.Sqrt(squares / count) / Spec.UpdateClip);
        var rate = step.Rate;
        if (Spec.RelativeStep)
        {
            var sum = 0.0;
            foreach (var value in w) sum += double.CreateTruncating(value) * double.CreateTruncating(value);
            rate = Math.Max(SizeMin, Math.Sqrt(sum / count)) * Math.Min(rate, 1 / Math.Sqrt(step.Step));
        }

        return (rate / cut, step.Rate * Spec.WeightDecay);
    }

    private static double Square<T>(T g, double scale) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var scaled = double.CreateTruncating(g) * scale;
        return (scaled * scaled) + Tiny;
    }
}
