using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;

namespace Convoy.Autodiff.Checking.Samples;

// References of reductions, shapes and indices.
internal static partial class References
{
    private static void AddReductions(Dictionary<Op, Reference> known)
    {
        void F(Op op, Func<double[], Attributes, double> f) => known[op] = (s, i) => f(Group(s, i), s.Attributes);
        double Variance(double[] x, Attributes a)
        {
            var mean = x.Sum() / x.Length;
            return x.Sum(v => (v - mean) * (v - mean)) / (x.Length - a.Int("unbiased", 1));
        }

        F(OpTable.Sum, (x, _) => x.Sum());
        F(OpTable.Mean, (x, _) => x.Sum() / x.Length);
        F(OpTable.Max, (x, _) => x.Max());
        F(OpTable.Min, (x, _) => x.Min());
        F(OpTable.Product, (x, _) => x.Aggregate(1.0, (p, v) => p * v));
        F(OpTable.LogSumExp, (x, _) => Series.Ln(x.Sum(Series.Exp)));
        F(OpTable.Variance, Variance);
        F(OpTable.Std, (x, a) => Math.Sqrt(Variance(x, a)));
        F(OpTable.Norm, (x, a) => double.IsInfinity(a.Number("p", 2)) ? x.Max(Math.Abs)
            : Power(x.Sum(v => Power(Math.Abs(v), a.Number("p", 2))), 1 / a.Number("p", 2)));
        F(OpTable.Any, (x, _) => x.Any(v => v != 0) ? 1 : 0);
        F(OpTable.AllOf, (x, _) => x.All(v => v != 0) ? 1 : 0);
        F(OpTable.Exists, (x, _) => x.Max());
        F(OpTable.ForAll, (x, _) => x.Min());
        F(OpTable.ExistsProb, (x, _) => 1 - x.Aggregate(1.0, (p, v) => p * (1 - v)));
        F(OpTable.ForAllProb, (x, _) => x.Aggregate(1.0, (p, v) => p * v));
        F(OpTable.ExistsSmooth, (x, a) => Smooth(x, a.Number("temperature")));
        F(OpTable.ForAllSmooth, (x, a) => Smooth(x, -a.Number("temperature")));
        known[OpTable.CumSum] = (s, i) => Before(s, i).Sum();
        known[OpTable.CumProd] = (s, i) => Before(s, i).Aggregate(1.0, (p, v) => p * v);
        known[OpTable.Recurrence] = (s, i) =>
        {
            var (a, b) = (Before(s, i, 0).ToArray(), Before(s, i, 1).ToArray());
            if (s.Attributes.Flag("reverse")) (a, b) = ([.. a.Reverse()], [.. b.Reverse()]);
            return b.Select((v, k) => a.Skip(k + 1).Aggregate(v, (p, c) => p * c)).Sum();
        };
        known[OpTable.ArgMax] = (s, i) =>
            Line(s, Inserted(i, s.Attributes.Int("axis"))) is var x ? Array.IndexOf(x, x.Max()) : 0;
        known[OpTable.ArgMin] = (s, i) =>
            Line(s, Inserted(i, s.Attributes.Int("axis"))) is var x ? Array.IndexOf(x, x.Min()) : 0;
        known[OpTable.Sort] = (s, i) => Ordered(s, i, s.Attributes.Flag("descending"));
        known[OpTable.TopK] = (s, i) => Ordered(s, i, !s.Attributes.Flag("smallest"));
    }

    private static double Smooth(double[] x, double t) => t * Series.Ln(x.Sum(v => Series.Exp(v / t)) / x.Length);

    private static double Ordered(OpSample s, int[] i, bool descending)
    {
        var line = Line(s, i).OrderBy(v => descending ? -v : v).ToArray();
        return line[i[s.Attributes.Int("axis")]];
    }

    // All elements on the axis through a place.
    private static double[] Line(OpSample s, int[] place, int input = 0)
    {
        var axis = s.Attributes.Int("axis");
        var at = (int[])place.Clone();
        var line = new double[s.Inputs[input].Shape[axis]];
        for (var k = 0; k < line.Length; k++)
        {
            at[axis] = k;
            line[k] = s.Inputs[input].At(at);
        }

        return line;
    }

    private static IEnumerable<double> Before(OpSample s, int[] i, int input = 0)
    {
        var k = i[s.Attributes.Int("axis")];
        var line = Line(s, i, input);
        return s.Attributes.Flag("reverse") ? line.Skip(k) : line.Take(k + 1);
    }

    // The elements that are folded to a place of the result.
    private static double[] Group(OpSample s, int[] place)
    {
        var (x, axes) = (s.Inputs[0], s.Attributes.Ints("axes"));
        var group = new List<double>();
        foreach (var at in Places(x.Shape.Dims))
        {
            var (next, belongs) = (0, true);
            for (var d = 0; d < at.Length; d++)
            {
                if (axes.Contains(d)) next += s.Attributes.Flag("keep") ? 1 : 0;
                else belongs &= at[d] == place[next++];
            }

            if (belongs) group.Add(x.At(at));
        }

        return [.. group];
    }

    /// <summary>All places of a shape in row-major order.</summary>
    public static IEnumerable<int[]> Places(ReadOnlySpan<int> dims)
    {
        var sizes = dims.ToArray();
        return sizes.Contains(0) ? [] : Walk(sizes);
    }

    private static IEnumerable<int[]> Walk(int[] sizes)
    {
        var at = new int[sizes.Length];
        while (true)
        {
            yield return (int[])at.Clone();
            var axis = sizes.Length - 1;
            while (axis >= 0 && ++at[axis] == sizes[axis]) at[axis--] = 0;
            if (axis < 0) yield break;
        }
    }

    private static int[] Inserted(int[] place, int axis) => [.. place[..axis], 0, .. place[axis..]];

    private static int[] With(int[] place, int axis, int value)
    {
        var at = (int[])place.Clone();
        at[axis] = value;
        return at;
    }

    private static double Flat(Tensor x, long index)
    {
        var at = new int[x.Rank];
        for (var i = x.Rank - 1; i >= 0; i--, index /= x.Shape[i + 1]) at[i] = (int)(index % x.Shape[i]);
        return x.At(at);
    }

    private static long Index(int[] place, ReadOnlySpan<int> dims)
    {
        long index = 0;
        for (var i = 0; i < place.Length; i++) index = (index * dims[i]) + place[i];
        return index;
    }

    private static void AddShapes(Dictionary<Op, Reference> known)
    {
        int Axis(OpSample s) => s.Attributes.Int("axis");
        known[OpTable.Full] = (s, _) => s.Attributes.Number("value");
        known[OpTable.Eye] = (_, i) => i[0] == i[1] ? 1 : 0;
        known[OpTable.Iota] = (_, i) => i[0];
        known[OpTable.Uniform] = (s, i) => new RandomStream(
            (ulong)s.Attributes.Int("seed"), RandomPurpose.Mask, (ulong)s.Attributes.Int("stream"))
            .Uniform(Index(i, [.. s.Attributes.Dims("dims").Select(d => d.Size)])) + (0.5 / (1 << 24));
        known[OpTable.Reshape] = (s, i) =>
            Flat(s.Inputs[0], Index(i, [.. s.Attributes.Dims("dims").Select(d => d.Size)]));
        known[OpTable.Transpose] = (s, i) => Permuted(s, i);
        known[OpTable.Permute] = (s, i) => Permuted(s, i);
        known[OpTable.BroadcastTo] = (s, i) => Repeated(s.Inputs[0], i);
        known[OpTable.Slice] = (s, i) => s.Inputs[0].At(
            With(i, Axis(s), s.Attributes.Int("start") + (i[Axis(s)] * s.Attributes.Int("step", 1))));
        known[OpTable.SliceGrad] = (s, i) =>
        {
            var (from, step) = (i[Axis(s)] - s.Attributes.Int("start"), s.Attributes.Int("step", 1));
            var inside = from >= 0 && from % step == 0 && from / step < s.Inputs[0].Shape[Axis(s)];
            return inside ? s.Inputs[0].At(With(i, Axis(s), from / step)) : 0;
        };
        known[OpTable.Concat] = (s, i) =>
        {
            var (k, n) = (i[Axis(s)], 0);
            while (k >= s.Inputs[n].Shape[Axis(s)]) k -= s.Inputs[n++].Shape[Axis(s)];
            return s.Inputs[n].At(With(i, Axis(s), k));
        };
        known[OpTable.Stack] = (s, i) => s.Inputs[i[Axis(s)]].At([.. i[..Axis(s)], .. i[(Axis(s) + 1)..]]);
        known[OpTable.Split] = (s, i) => s.Inputs[0].At(i);
        known[OpTable.Squeeze] = (s, i) => s.Inputs[0].At(Inserted(i, Axis(s)));
        known[OpTable.Unsqueeze] = (s, i) => s.Inputs[0].At([.. i[..Axis(s)], .. i[(Axis(s) + 1)..]]);
        known[OpTable.Pad] = (s, i) =>
        {
            var k = i[Axis(s)] - s.Attributes.Int("before");
            return k >= 0 && k < s.Inputs[0].Shape[Axis(s)] ? s.Inputs[0].At(With(i, Axis(s), k))
                : s.Attributes.Number("value");
        };
        known[OpTable.Tile] = (s, i) =>
            s.Inputs[0].At([.. i[^s.Inputs[0].Rank..].Select((k, d) => k % s.Inputs[0].Shape[d])]);
        known[OpTable.Roll] = (s, i) =>
        {
            var n = s.Inputs[0].Shape[Axis(s)];
            return s.Inputs[0].At(With(i, Axis(s), (((i[Axis(s)] - s.Attributes.Int("shift")) % n) + n) % n));
        };
        known[OpTable.Flip] = (s, i) => s.Inputs[0].At(With(i, Axis(s), s.Inputs[0].Shape[Axis(s)] - 1 - i[Axis(s)]));
        known[OpTable.Tril] = (s, i) => i[^1] - i[^2] <= s.Attributes.Int("k") ? s.Inputs[0].At(i) : 0;
        known[OpTable.Triu] = (s, i) => i[^1] - i[^2] >= s.Attributes.Int("k") ? s.Inputs[0].At(i) : 0;
        known[OpTable.Diag] = (s, i) =>
            s.Inputs[0].Rank == 2 ? s.Inputs[0].At(i[0], i[0]) : i[0] == i[1] ? s.Inputs[0].At(i[0]) : 0;
        known[OpTable.Diagonal] = (s, i) =>
            s.Inputs[0].At([.. i[..s.Attributes.Int("b")], i[s.Attributes.Int("a")], .. i[s.Attributes.Int("b")..]]);
        known[OpTable.DiagonalEmbed] = (s, i) =>
        {
            var (a, b) = (s.Attributes.Int("a"), s.Attributes.Int("b"));
            return i[a] == i[b] ? s.Inputs[0].At([.. i[..b], .. i[(b + 1)..]]) : 0;
        };
        known[OpTable.Trace] = (s, i) =>
            Enumerable.Range(0, s.Inputs[0].Shape[-1]).Sum(k => s.Inputs[0].At([.. i, k, k]));
        known[OpTable.Kron] = (s, i) =>
        {
            var (rows, columns) = (s.Inputs[1].Shape[0], s.Inputs[1].Shape[1]);
            return s.Inputs[0].At(i[0] / rows, i[1] / columns) * s.Inputs[1].At(i[0] % rows, i[1] % columns);
        };
        known[OpTable.Meshgrid] = (s, i) => s.Inputs[0].At(i[0]);
    }

    private static double Permuted(OpSample s, int[] i)
    {
        var at = new int[i.Length];
        for (var d = 0; d < i.Length; d++) at[s.Attributes.Ints("perm")[d]] = i[d];
        return s.Inputs[0].At(at);
    }

    private static void AddIndices(Dictionary<Op, Reference> known)
    {
        int Axis(OpSample s) => s.Attributes.Int("axis");
        known[OpTable.Gather] = (s, i) => s.Inputs[0].At(With(i, Axis(s), (int)s.Inputs[1].At(i)));
        known[OpTable.ScatterAdd] = (s, i) => s.Inputs[0].At(i) + Enumerable.Range(0, s.Inputs[1].Shape[Axis(s)])
            .Select(k => With(i, Axis(s), k)).Where(at => s.Inputs[1].At(at) == i[Axis(s)]).Sum(at =>
                s.Inputs[2].At(at));
        known[OpTable.IndexSelect] = (s, i) => s.Inputs[0].At(With(i, Axis(s), (int)s.Inputs[1].At(i[Axis(s)])));
        known[OpTable.IndexAdd] = (s, i) => Enumerable.Range(0, s.Inputs[1].Shape[0])
            .Where(k => s.Inputs[1].At(k) == i[Axis(s)]).Sum(k => s.Inputs[0].At(With(i, Axis(s), k)));
        known[OpTable.OneHot] = (s, i) => s.Inputs[0].At(i[..^1]) == i[^1] ? 1 : 0;
        known[OpTable.Mark] = (s, i) => s.Inputs[0].At(i) == s.Attributes.Int("value") ? 1 : 0;
        known[OpTable.Replace] = (s, i) =>
            s.Inputs[0].At(i) == s.Attributes.Int("value") ? s.Attributes.Int("with") : s.Inputs[0].At(i);
        known[OpTable.Embedding] = (s, i) => s.Inputs[0].At((int)s.Inputs[1].At(i[..^1]), i[^1]);
        known[OpTable.EmbeddingGrad] = (s, i) => Places(s.Inputs[1].Shape.Dims)
            .Where(at => s.Inputs[1].At(at) == i[0]).Sum(at => s.Inputs[0].At([.. at, i[1]]));
        known[OpTable.PlaneGather] = (s, i) =>
        {
            var (x, place) = (s.Inputs[0], (int)s.Inputs[1].At(i));
            return x.At(i[0], i[1], place / x.Shape[3], place % x.Shape[3]);
        };
    }
}
