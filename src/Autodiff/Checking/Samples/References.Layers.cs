using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// References of layers, losses and linear algebra.
internal static partial class References
{
    private static double Sigmoid(double x) => 1 / (1 + Series.Exp(-x));

    private static double Tanh(double x) => 1 - (2 / (Series.Exp(2 * x) + 1));

    private static double[] Last(Tensor x, int[] i) =>
        [.. Enumerable.Range(0, x.Shape[-1]).Select(k => x.At([.. i[..^1], k]))];

    private static double[] Softmax(double[] x)
    {
        var sum = x.Sum(Series.Exp);
        return [.. x.Select(v => Series.Exp(v) / sum)];
    }

    private static void AddLayers(Dictionary<Op, Reference> known)
    {
        known[OpTable.Softmax] = (s, i) => Softmax(Last(s.Inputs[0], i))[i[^1]];
        known[OpTable.LogSoftmax] = (s, i) => Series.Ln(Softmax(Last(s.Inputs[0], i))[i[^1]]);
        known[OpTable.SoftmaxGrad] = (s, i) =>
        {
            var (dy, y) = (Last(s.Inputs[0], i), Last(s.Inputs[1], i));
            return y[i[^1]] * (dy[i[^1]] - dy.Zip(y, (a, b) => a * b).Sum());
        };
        known[OpTable.LogSoftmaxGrad] = (s, i) =>
            s.Inputs[0].At(i) - (Series.Exp(s.Inputs[1].At(i)) * Last(s.Inputs[0], i).Sum());
        known[OpTable.LayerNorm] = (s, i) =>
            Standard(s, i, (a, b) => a[..^1].SequenceEqual(b[..^1]), 1e-5, j => [j[^1]]);
        known[OpTable.LayerNormAny] = (s, i) =>
        {
            var kept = i.Length - s.Attributes.Int("axes", 1);
            return Standard(s, i, (a, b) => a[..kept].SequenceEqual(b[..kept]), 1e-5, j => j[kept..]);
        };
        known[OpTable.InstanceNorm] = (s, i) =>
            Standard(s, i, (a, b) => a[..2].SequenceEqual(b[..2]), 1e-5, j => [j[1]]);
        known[OpTable.BatchNorm] = (s, i) => Standard(s, i, (a, b) => a[1] == b[1], 1e-5, j => [j[1]]);
        known[OpTable.GroupNorm] = (s, i) =>
        {
            var width = s.Inputs[0].Shape[1] / s.Attributes.Int("groups");
            return Standard(s, i, (a, b) => a[0] == b[0] && a[1] / width == b[1] / width, 1e-5, j => [j[1]]);
        };
        known[OpTable.RmsNorm] = (s, i) => s.Inputs[0].At(i) * s.Inputs[1].At(i[^1])
            / Math.Sqrt(Last(s.Inputs[0], i).Average(v => v * v) + 1e-6);
        known[OpTable.LayerNormGradInput] = (s, i) =>
        {
            var (mean, rstd) = (s.Inputs[3].At(i[..^1]), s.Inputs[4].At(i[..^1]));
            var h = Last(s.Inputs[1], i).Select(v => (v - mean) * rstd).ToArray();
            var p = Last(s.Inputs[0], i).Select((v, k) => v * s.Inputs[2].At(k)).ToArray();
            return rstd * (p[i[^1]] - p.Average() - (h[i[^1]] * p.Zip(h, (a, b) => a * b).Average()));
        };
        known[OpTable.LayerNormGradGain] = (s, i) => Enumerable.Range(0, s.Inputs[0].Shape[0]).Sum(r =>
            s.Inputs[0].At(r, i[0]) * (s.Inputs[1].At(r, i[0]) - s.Inputs[2].At(r)) * s.Inputs[3].At(r));
        known[OpTable.Attention] = (s, i) =>
        {
            var (qkv, heads) = (s.Inputs[0], s.Attributes.Int("heads"));
            var (width, d) = (qkv.Shape[2] / 3, qkv.Shape[2] / 3 / heads);
            var from = i[2] / d * d;
            return Attended(
                qkv.Shape[1], qkv.Shape[1], d, s.Attributes.Flag("causal"), i[1], (t, k) => qkv.At(i[0], t, from + k),
                (t, k) => qkv.At(i[0], t, width + from + k), t => qkv.At(i[0], t, (2 * width) + i[2]), _ => 0);
        };
        known[OpTable.ScaledDotProduct] = (s, i) =>
        {
            var (q, k, v, lead) = (s.Inputs[0], s.Inputs[1], s.Inputs[2], i[..^2]);
            return Attended(
                q.Shape[-2], k.Shape[-2], q.Shape[-1], s.Attributes.Flag("causal"), i[^2],
                    (t, c) => q.At([.. lead, t, c]),
                (t, c) => k.At([.. lead, t, c]), t => v.At([.. lead, t, i[^1]]),
                    t => s.Inputs.Length > 3 ? s.Inputs[3].At(i[^2], t) : 0);
        };
        known[OpTable.LstmCell] = (s, i) => LstmStep(
            k => s.Inputs[0].At(i[0], k), k => s.Inputs[1].At(i[0], k), k => s.Inputs[2].At(i[0], k), s.Inputs[3..],
                i[1]).H;
        known[OpTable.GruCell] = (s, i) =>
            GruStep(k => s.Inputs[0].At(i[0], k), k => s.Inputs[1].At(i[0], k), s.Inputs[2..], i[1]);
        known[OpTable.Lstm] = (s, i) =>
        {
            var width = s.Inputs[1].Shape[1];
            var h = Enumerable.Range(0, width).Select(k => s.Inputs[1].At(i[0], k)).ToArray();
            var c = Enumerable.Range(0, width).Select(k => s.Inputs[2].At(i[0], k)).ToArray();
            for (var t = 0; t <= i[1]; t++)
            {
                var next = Enumerable.Range(0, width).Select(n =>
                    LstmStep(k => s.Inputs[0].At(i[0], t, k), k => h[k], k => c[k], s.Inputs[3..], n)).ToArray();
                (h, c) = ([.. next.Select(v => v.H)], [.. next.Select(v => v.C)]);
            }

            return h[i[2]];
        };
        known[OpTable.Gru] = (s, i) =>
        {
            var width = s.Inputs[1].Shape[1];
            var h = Enumerable.Range(0, width).Select(k => s.Inputs[1].At(i[0], k)).ToArray();
            for (var t = 0; t <= i[1]; t++)
                h = [.. Enumerable.Range(0,
                    width).Select(n => GruStep(k => s.Inputs[0].At(i[0], t, k), k => h[k], s.Inputs[2..], n))];
            return h[i[2]];
        };
        double Draw(OpSample s, int[] i) => known[OpTable.Uniform](
            s with { Attributes = s.Attributes.With("dims", s.Inputs[0].Type.Dims) }, i);
        known[OpTable.Dropout] = (s, i) =>
            Draw(s, i) >= s.Attributes.Number("rate") ? s.Inputs[0].At(i) / (1 - s.Attributes.Number("rate")) : 0;
        known[OpTable.DropoutMask] = (s, i) =>
            known[OpTable.Uniform](s, i) >= s.Attributes.Number("rate") ? 1 / (1 - s.Attributes.Number("rate")) : 0;
        known[OpTable.SliceMean] = (s, i) => Enumerable.Range(0, s.Inputs[0].Shape[0])
            .Sum(n => s.Inputs[0].At([n, .. i[1..]])) / s.Inputs[0].Shape[0];
        known[OpTable.Statistic] = (s, i) => s.Inputs[0].At(i);
        known[OpTable.GumbelSoftmax] = (s, i) =>
        {
            var noisy = Enumerable.Range(0, s.Inputs[0].Shape[-1]).Select(k =>
            {
                int[] at = [.. i[..^1], k];
                return (s.Inputs[0].At(at) - Series.Ln(-Series.Ln(Draw(s, at))))
                    / s.Attributes.Number("temperature", 1);
            }).ToArray();
            if (!s.Attributes.Flag("hard")) return Softmax(noisy)[i[^1]];
            return Array.IndexOf(noisy, noisy.Max()) == i[^1] ? 1 : 0;
        };
    }

    // (x - mean) / √(variance + epsilon) over the elements of one group, then gain and bias.
    private static double Standard(OpSample s, int[] i, Func<int[], int[], bool> together, double epsilon, Func<int[],
        int[]> parameter)
    {
        var x = s.Inputs[0];
        var group = Places(x.Shape.Dims).Where(at => together(at, i)).Select(at => x.At(at)).ToArray();
        var mean = group.Average();
        var y = (x.At(i) - mean) / Math.Sqrt(group.Average(v => (v - mean) * (v - mean)) + epsilon);
        if (s.Inputs.Length > 1) y *= s.Inputs[1].At(parameter(i));
        return s.Inputs.Length > 2 ? y + s.Inputs[2].At(parameter(i)) : y;
    }

    private static double Attended(
        int queries, int keys, int width, bool causal, int t, Func<int, int, double> q, Func<int, int, double> k,
        Func<int, double> v, Func<int, double> mask)
    {
        var seen = causal ? Math.Min(t + 1, keys) : keys;
        if (t >= queries) return 0;
        var p = Softmax([.. Enumerable.Range(0, seen).Select(j =>
            (Enumerable.Range(0, width).Sum(c => q(t, c) * k(j, c)) / Math.Sqrt(width)) + mask(j))]);
        return p.Select((w, j) => w * v(j)).Sum();
    }

    private static double Gate(Func<int, double> x, Tensor w, int row) =>
        Enumerable.Range(0, w.Shape[1]).Sum(k => x(k) * w.At(row, k));

    // w, u, b
    private static (double H, double C) LstmStep(Func<int, double> x, Func<int, double> h, Func<int, double> c,
        Tensor[] p, int n)
    {
        var width = p[1].Shape[1];
        double G(int part) =>
            Gate(x, p[0], (part * width) + n) + Gate(h, p[1], (part * width) + n) + p[2].At((part * width) + n);
        var cell = (Sigmoid(G(1)) * c(n)) + (Sigmoid(G(0)) * Tanh(G(2)));
        return (Sigmoid(G(3)) * Tanh(cell), cell);
    }

    // w, u, b, b'
    private static double GruStep(Func<int, double> x, Func<int, double> h, Tensor[] p, int n)
    {
        var width = p[1].Shape[1];
        double X(int part) => Gate(x, p[0], (part * width) + n) + p[2].At((part * width) + n);
        double H(int part) => Gate(h, p[1], (part * width) + n) + p[3].At((part * width) + n);
        var z = Sigmoid(X(1) + H(1));
        return ((1 - z) * Tanh(X(2) + (Sigmoid(X(0) + H(0)) * H(2)))) + (z * h(n));
    }

    private static void AddLosses(Dictionary<Op, Reference> known)
    {
        void L(Op op, Func<OpSample, int[], double> term) => known[op] = (s, i) =>
            Reduced(s, i, s.Inputs[0].Shape.Dims, at => term(s, at));
        L(OpTable.MseLoss, (s, i) => Math.Pow(s.Inputs[0].At(i) - s.Inputs[1].At(i), 2));
        L(OpTable.L1Loss, (s, i) => Math.Abs(s.Inputs[0].At(i) - s.Inputs[1].At(i)));
        L(OpTable.HuberLoss, (s, i) =>
        {
            var (d, delta) = (Math.Abs(s.Inputs[0].At(i) - s.Inputs[1].At(i)), s.Attributes.Number("delta", 1));
            return d <= delta ? d * d / 2 : delta * (d - (delta / 2));
        });
        L(OpTable.BceWithLogits, (s, i) =>
        {
            var (p, t) = (Sigmoid(s.Inputs[0].At(i)), s.Inputs[1].At(i));
            return -(t * Series.Ln(p)) - ((1 - t) * Series.Ln(1 - p));
        });
        L(OpTable.KlDiv, (s, i) => s.Inputs[1].At(i) * (Series.Ln(s.Inputs[1].At(i)) - s.Inputs[0].At(i)));
        L(OpTable.HingeLoss,
            (s, i) => Math.Max(0, s.Attributes.Number("margin", 1) - (s.Inputs[1].At(i) * s.Inputs[0].At(i))));
        double Cosine(OpSample s, int n)
        {
            var (a, b) = (Last(s.Inputs[0], [n, 0]), Last(s.Inputs[1], [n, 0]));
            return a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(y => y * y));
        }

        known[OpTable.CosineSimilarity] = (s, i) => Cosine(s, i[0]);
        known[OpTable.CosineEmbeddingLoss] = (s, i) => Reduced(s, i, s.Inputs[2].Shape.Dims, at =>
            s.Inputs[2].At(at) > 0 ? 1 - Cosine(s, at[0])
                : Math.Max(0, Cosine(s, at[0]) - s.Attributes.Number("margin")));
        known[OpTable.NllLoss] = (s, i) =>
            Reduced(s, i, s.Inputs[1].Shape.Dims, at => -s.Inputs[0].At([.. at, (int)s.Inputs[1].At(at)]));
        known[OpTable.CrossEntropyLoss] = (s, i) => Reduced(s, i, s.Inputs[1].Shape.Dims, at =>
        {
            var log = Softmax(Last(s.Inputs[0], [.. at, 0])).Select(Series.Ln).ToArray();
            var share = s.Attributes.Number("smoothing");
            return -((1 - share) * log[(int)s.Inputs[1].At(at)]) - (share * log.Average());
        });
        known[OpTable.CtcLoss] = (s, i) =>
        {
            var lengths = s.Inputs[3].ToArray<int>();
            var terms = Enumerable.Range(0, lengths.Length).Select(n => Alignments(s, n)).ToArray();
            return s.Attributes.Text("reduction", "mean") switch
            {
                "none" => terms[i[0]],
                "sum" => terms.Sum(),
                _ => terms.Zip(lengths, (term, length) => term / Math.Max(1, length)).Average(),
            };
        };
        known[OpTable.CrossEntropy] = (s, i) =>
            -Series.Ln(Softmax(Last(s.Inputs[0], [.. i, 0]))[(int)s.Inputs[1].At(i)]);
        known[OpTable.CrossEntropyGrad] = (s, i) => s.Inputs[0].At(i[..^1])
            * (Series.Exp(s.Inputs[1].At(i) - Last(s.Inputs[1], i).Max() - s.Inputs[3].At(i[..^1]))
                - (s.Inputs[2].At(i[..^1]) == i[^1] ? 1 : 0));
        known[OpTable.Correct] = (s, i) =>
            Last(s.Inputs[0], [.. i, 0]) is var x && Array.IndexOf(x, x.Max()) == s.Inputs[1].At(i) ? 1 : 0;
        known[OpTable.AttentionGrad] = AttentionGradient;
    }

    private static double Reduced(OpSample s, int[] i, ReadOnlySpan<int> dims, Func<int[], double> term)
    {
        // Classes that are ignored have no term, not even one to be multiplied by 0.
        bool Counts(int[] at) => !s.Attributes.Has("ignore") || s.Inputs[1].At(at) != s.Attributes.Int("ignore");
        if (s.Attributes.Text("reduction", "mean") == "none") return Counts(i) ? term(i) : 0;
        var terms = Places(dims).Where(Counts).Select(term).ToArray();
        return s.Attributes.Text("reduction", "mean") switch
        {
            "sum" => terms.Sum(),
            "batchmean" => terms.Sum() / s.Inputs[0].Shape[0],
            _ => terms.Average(),
        };
    }

    // Every sequence of classes there is, merged and without its blanks, against the target.
    private static double Alignments(OpSample s, int n)
    {
        var (x, steps, classes) = (s.Inputs[0], (int)s.Inputs[2].At(n), s.Inputs[0].Shape[2]);
        var target = Enumerable.Range(0, (int)s.Inputs[3].At(n)).Select(k => (int)s.Inputs[1].At(n, k)).ToArray();
        var sum = 0.0;
        for (var code = 0; code < Math.Pow(classes, steps); code++)
        {
            var path = new int[steps];
            for (var (t, rest) = (0, code); t < steps; t++, rest /= classes) path[t] = rest % classes;
            var merged = path.Where((c, t) => (t == 0 || path[t - 1] != c) && c != s.Attributes.Int("blank"));
            if (merged.SequenceEqual(target)) sum += Series.Exp(path.Select((c, t) => x.At(t, n, c)).Sum());
        }

        return sum > 0 ? -Series.Ln(sum) : s.Attributes.Flag("zero-infinity") ? 0 : double.PositiveInfinity;
    }

    // The kernel takes y and ln Σ e^s as given, whatever they are: p = e^(s - l), ds = p (dp - Σ dy y).
    private static double AttentionGradient(OpSample s, int[] i)
    {
        var (dy, qkv, y, l) = (s.Inputs[0], s.Inputs[1], s.Inputs[2], s.Inputs[3]);
        var (n, t, heads) = (i[0], qkv.Shape[1], s.Attributes.Int("heads"));
        var (width, d) = (qkv.Shape[2] / 3, qkv.Shape[2] / 3 / heads);
        var (part, column) = (i[2] / width, i[2] % width);
        var (from, head) = (column / d * d, column / d);
        var all = Enumerable.Range(0, d).Select(c => from + c).ToArray();
        double P(int a, int b) => s.Attributes.Flag("causal") && b > a ? 0 : Series.Exp(
            (all.Sum(c => qkv.At(n, a, c) * qkv.At(n, b, width + c)) / Math.Sqrt(d)) - l.At(n, head, a));
        double Ds(int a, int b) =>
            P(a, b) / Math.Sqrt(d) * (all.Sum(c => dy.At(n, a, c) * qkv.At(n, b, (2 * width) + c))
            - all.Sum(c => dy.At(n, a, c) * y.At(n, a, c)));
        return part switch
        {
            0 => Enumerable.Range(0, t).Sum(b => Ds(i[1], b) * qkv.At(n, b, width + column)),
            1 => Enumerable.Range(0, t).Sum(a => Ds(a, i[1]) * qkv.At(n, a, column)),
            _ => Enumerable.Range(0, t).Sum(a => P(a, i[1]) * dy.At(n, a, column)),
        };
    }
}
