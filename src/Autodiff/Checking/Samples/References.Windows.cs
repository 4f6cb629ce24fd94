using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// References of contractions and of everything with windows.
internal static partial class References
{
    private static void AddContractions(Dictionary<Op, Reference> known)
    {
        known[OpTable.MatMul] = (s, i) =>
        {
            var (ta, tb) = (s.Attributes.Flag("ta"), s.Attributes.Flag("tb"));
            int[] lead = i[..^2];
            return Enumerable.Range(0, s.Inputs[0].Shape[ta ? -2 : -1]).Sum(k =>
                Repeated(s.Inputs[0], ta ? [.. lead, k, i[^2]] : [.. lead, i[^2], k])
                * Repeated(s.Inputs[1], tb ? [.. lead, i[^1], k] : [.. lead, k, i[^1]]));
        };
        known[OpTable.Linear] = (s, i) =>
            Activated(s, Row(s, i) + (s.Inputs.Length > 2 ? s.Inputs[2].At(i[^1]) : 0));
        known[OpTable.Einsum] = Einsum;
        known[OpTable.Conv2d] = (s, i) => Activated(s, Convolved(s, i));
        known[OpTable.Conv1d] = Convolved;
        known[OpTable.Conv2dAny] = Convolved;
        known[OpTable.Conv3d] = Convolved;
        known[OpTable.ConvTranspose1d] = Transposed;
        known[OpTable.ConvTranspose2d] = Transposed;
        known[OpTable.ConvTranspose3d] = Transposed;
        known[OpTable.Conv2dGradInput] = (s, i) =>
        {
            var (dy, w, window) = (s.Inputs[0], s.Inputs[1], new Window(s, s.Inputs[1].Shape.Dims[2..]));
            var groups = s.Attributes.Int("groups", 1);
            var (filters, channels) = (w.Shape[0] / groups, w.Shape[1]);
            var group = i[1] / channels;
            return window.Seen(dy.Shape.Dims[2..], i[2..]).Sum(p => Enumerable.Range(group * filters, filters).Sum(f =>
                dy.At([i[0], f, .. p.Place]) * w.At([f, i[1] % channels, .. p.Tap])));
        };
        known[OpTable.Conv2dGradWeight] = (s, i) =>
        {
            var (x, dy, window) =
                (s.Inputs[0], s.Inputs[1], new Window(s, [s.Attributes.Int("height"), s.Attributes.Int("width")]));
            return Places(dy.Shape.Dims[2..]).Sum(p => Enumerable.Range(0, x.Shape[0]).Sum(n =>
                dy.At([n, i[0], .. p]) * Pixel(x, [n, i[1]], window.Pixel(p, i[2..]), 0)));
        };
    }

    private static double Row(OpSample s, int[] i)
    {
        var (x, w, columns) = (s.Inputs[0], s.Inputs[1], s.Attributes.Flag("columns"));
        return Enumerable.Range(0, x.Shape[-1]).Sum(
            k => x.At([.. i[..^1], k]) * (columns ? w.At(k, i[^1]) : w.At(i[^1], k)));
    }

    private static double Activated(OpSample s, double y) => s.Attributes.Text("activation") switch
    {
        "relu" => Math.Max(y, 0),
        "tanh" => 1 - (2 / (Series.Exp(2 * y) + 1)),
        "sigmoid" => 1 / (1 + Series.Exp(-y)),
        _ => y,
    };

    private static double Einsum(OpSample s, int[] i)
    {
        var spec = EinsumSpec.Parse(s.Attributes.Text("spec"));
        var letters = string.Concat(string.Concat(spec.Operands).Distinct());
        var sizes =
            letters.Select(c => s.Inputs.SelectMany((x, n) => spec.Operands[n].Select((l, axis) => (l, x.Shape[axis])))
            .First(p => p.l == c).Item2).ToArray();
        var sum = 0.0;
        foreach (var at in Places(sizes))
        {
            if (spec.Result.Where((c, n) => at[letters.IndexOf(c, StringComparison.Ordinal)] != i[n]).Any()) continue;
            var term = 1.0;
            for (var n = 0; n < s.Inputs.Length; n++)
                term *= s.Inputs[n].At(
                    [.. spec.Operands[n].Select(c => at[letters.IndexOf(c, StringComparison.Ordinal)])]);
            sum += term;
        }

        return sum;
    }

    private static double Convolved(OpSample s, int[] i)
    {
        var (x, w) = (s.Inputs[0], s.Inputs[1]);
        var window = new Window(s, w.Shape.Dims[2..]);
        var (channels, filters) = (w.Shape[1], w.Shape[0] / s.Attributes.Int("groups", 1));
        var first = i[1] / filters * channels;
        var sum = s.Inputs.Length > 2 ? s.Inputs[2].At(i[1]) : 0;
        foreach (var tap in Places(w.Shape.Dims[2..]))
            for (var c = 0; c < channels; c++)
                sum += w.At([i[1], c, .. tap]) * Pixel(x, [i[0], first + c], window.Pixel(i[2..], tap), 0);
        return sum;
    }

    private static double Transposed(OpSample s, int[] i)
    {
        var (x, w) = (s.Inputs[0], s.Inputs[1]);
        var window = new Window(s, w.Shape.Dims[2..]);
        var (filters, channels) = (w.Shape[1], w.Shape[0] / s.Attributes.Int("groups", 1));
        var first = i[1] / filters * channels;
        var sum = s.Inputs.Length > 2 ? s.Inputs[2].At(i[1]) : 0;
        foreach (var (place, tap) in window.Seen(x.Shape.Dims[2..], i[2..]))
            for (var c = first; c < first + channels; c++) sum += x.At([i[0], c, .. place])
                * w.At([c, i[1] % filters, .. tap]);
        return sum;
    }

    private static void AddWindows(Dictionary<Op, Reference> known)
    {
        known[OpTable.Unfold] = (s, i) =>
        {
            var (x, window) = (s.Inputs[0], new Window(s, [.. s.Attributes.Ints("kernel")]));
            var tap = Places([.. s.Attributes.Ints("kernel")]).ElementAt(i[2]);
            var place = Places(window.Places(x.Shape.Dims[2..])).ElementAt(i[3]);
            return Pixel(x, i[..2], window.Pixel(place, tap), s.Attributes.Number("value"));
        };
        known[OpTable.Fold] = (s, i) =>
        {
            var window = new Window(s, [.. s.Attributes.Ints("kernel")]);
            var places = window.Places([.. s.Attributes.Ints("sizes")]);
            int[] kernel = [.. s.Attributes.Ints("kernel")];
            return window.Seen(places,
                i[2..]).Sum(p => s.Inputs[0].At(i[0], i[1], (int)Index(p.Tap, kernel), (int)Index(p.Place, places)));
        };
        known[OpTable.Resample] = (s, i) =>
            Resampled(s.Inputs[0], i, [s.Attributes.Int("axis")], s, s.Attributes.Int("size"));
        known[OpTable.Interpolate] = (s, i) => Resampled(s.Inputs[0], i, [.. Enumerable.Range(2, i.Length - 2)], s, 0);
        known[OpTable.MaxPool2d] = (s, i) => Windowed(s, i).Max();
        known[OpTable.MaxPoolNd] = (s, i) => Windowed(s, i).Max();
        known[OpTable.AvgPool2d] = (s, i) => Windowed(s, i).Sum() / Taps(s, 2);
        known[OpTable.AvgPoolNd] = (s, i) => Windowed(s, i).Sum() / Taps(s, s.Inputs[0].Rank - 2);
        known[OpTable.AvgPool2dGrad] = (s, i) =>
        {
            var window = new Window(s, Kernel(s, 2));
            return window.Seen(s.Inputs[0].Shape.Dims[2..], i[2..]).Sum(p => s.Inputs[0].At([i[0], i[1], .. p.Place]))
                / Taps(s, 2);
        };
        known[OpTable.MaxPool2dGrad] = (s, i) => Places(s.Inputs[0].Shape.Dims)
            .Where(at =>
                at[0] == i[0] && at[1] == i[1] && s.Inputs[1].At(at) == (i[2] * s.Attributes.Int("width")) + i[3])
            .Sum(at => s.Inputs[0].At(at));
        known[OpTable.AdaptiveAvgPool] = (s, i) => Part(s, i).Average();
        known[OpTable.AdaptiveMaxPool] = (s, i) => Part(s, i).Max();
    }

    private static int[] Kernel(OpSample s, int d) => Numbers(s.Attributes, "kernel", 1, d);

    private static int Taps(OpSample s, int d) => Kernel(s, d).Aggregate(1, (a, b) => a * b);

    // What a pooling window sees, without the padding.
    private static IEnumerable<double> Windowed(OpSample s, int[] i)
    {
        var kernel = Kernel(s, i.Length - 2);
        var window = new Window(s, kernel, kernel);
        return Places(kernel).Select(tap =>
            Pixel(s.Inputs[0], i[..2], window.Pixel(i[2..], tap), double.NaN)).Where(v => !double.IsNaN(v));
    }

    private static IEnumerable<double> Part(OpSample s, int[] i)
    {
        var x = s.Inputs[0];
        var output = Numbers(s.Attributes, "output", 1, i.Length - 2);
        return Places(x.Shape.Dims).Where(at =>
        {
            for (var d = 0; d < at.Length; d++)
            {
                if (d < 2 && at[d] != i[d]) return false;
                if (d < 2) continue;
                var (n, m) = ((double)x.Shape[d], output[d - 2]);
                if (at[d] < Math.Floor(i[d] * n / m) || at[d] >= Math.Ceiling((i[d] + 1) * n / m)) return false;
            }

            return true;
        }).Select(at => x.At(at));
    }

    // The weights of all dimensions multiply.
    private static double Resampled(Tensor x, int[] i, int[] axes, OpSample s, int size)
    {
        var sum = 0.0;
        foreach (var at in Places(x.Shape.Dims))
        {
            var weight = 1.0;
            for (var d = 0; d < at.Length && weight != 0; d++)
            {
                var m = size > 0 ? size : axes.Contains(d) ? Numbers(s.Attributes, "output", 1, axes.Length)[d - 2] : 0;
                if (!axes.Contains(d)) weight *= at[d] == i[d] ? 1 : 0;
                else if (s.Attributes.Text("mode") != "linear") weight *= at[d] == i[d] * x.Shape[d] / m ? 1 : 0;
                else weight *= Math.Max(0,
                    1 - Math.Abs(Math.Clamp(((i[d] + 0.5) * x.Shape[d] / m) - 0.5, 0, x.Shape[d] - 1) - at[d]));
            }

            sum += weight * x.At(at);
        }

        return sum;
    }

    private static int[] Numbers(Attributes a, string name, int otherwise, int count) =>
        a.Ints(name).Length > 0 ? [.. a.Ints(name)] : [.. Enumerable.Repeat(a.Int(name, otherwise), count)];

    private static double Pixel(Tensor x, int[] lead, int[] pixel, double outside)
    {
        for (var d = 0; d < pixel.Length; d++)
            if (pixel[d] < 0 || pixel[d] >= x.Shape[lead.Length + d]) return outside;
        return x.At([.. lead, .. pixel]);
    }

    private sealed class Window
    {
        private readonly int[] _kernel, _stride, _padding, _dilation;

        public Window(OpSample s, ReadOnlySpan<int> kernel, int[]? stride = null)
        {
            var d = kernel.Length;
            _kernel = kernel.ToArray();
            _stride = stride is not null && !s.Attributes.Has("stride") ? stride
                : Numbers(s.Attributes, "stride", 1, d);
            _padding = Numbers(s.Attributes, "padding", 0, d);
            _dilation = Numbers(s.Attributes, "dilation", 1, d);
        }

        public int[] Pixel(int[] place, int[] tap) =>
            [.. place.Select((p, d) => (p * _stride[d]) - _padding[d] + (tap[d] * _dilation[d]))];

        public int[] Places(ReadOnlySpan<int> sizes)
        {
            var places = new int[sizes.Length];
            for (var d = 0; d < places.Length; d++)
                places[d] = ((sizes[d] + (2 * _padding[d]) - (_dilation[d] * (_kernel[d] - 1)) - 1) / _stride[d]) + 1;
            return places;
        }

        /// <summary>The windows that see a pixel, and with which tap.</summary>
        public IEnumerable<(int[] Place, int[] Tap)> Seen(ReadOnlySpan<int> places, int[] pixel)
        {
            var all = References.Places(places).ToArray();
            return from tap in References.Places(_kernel)
                   from place in all
                   where Pixel(place, tap).SequenceEqual(pixel)
                   select (place, tap);
        }
    }
}
