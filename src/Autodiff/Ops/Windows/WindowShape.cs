using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Windows over any number of dimensions: their sizes, and the walk over pairs of window place and pixel.
/// </summary>
internal sealed class WindowShape
{
    private readonly int[] _sizes, _kernel, _stride, _padding, _dilation;

    private WindowShape(Op op, Attributes a, int[] sizes)
    {
        _sizes = sizes;
        _kernel = [.. a.Ints("kernel")];
        _stride = [.. a.Ints("stride")];
        _padding = [.. a.Ints("padding")];
        _dilation = [.. a.Ints("dilation")];
        var d = sizes.Length;
        if (d == 0 || _kernel.Length != d || _stride.Length != d || _padding.Length != d || _dilation.Length != d)
            throw new ShapeException(
                $"{op.Name}: kernel, stride, padding and dilation have a number for each of {d} dimensions");
        Out = new int[d];
        for (var i = 0; i < d; i++)
        {
            if (_kernel[i] < 1 || _stride[i] < 1 || _padding[i] < 0 || _dilation[i] < 1)
                throw new ShapeException(
                    $"{op.Name}: kernel, stride and dilation are positive, padding is not negative");
            var room = sizes[i] + (2L * _padding[i]) - (((long)_dilation[i] * (_kernel[i] - 1)) + 1);
            if (room < 0)
                throw new ShapeException(
                    $"{op.Name}: a window of {_kernel[i]} does not fit {sizes[i]} elements with padding {_padding[i]}");
            Out[i] = checked((int)(room / _stride[i]) + 1);
        }
    }

    public int[] Out { get; }
    public int Places => Out.Aggregate(1, (a, b) => checked(a * b));
    public int Taps => _kernel.Aggregate(1, (a, b) => checked(a * b));
    public int Pixels => _sizes.Aggregate(1, (a, b) => checked(a * b));

    public static WindowShape Of(Op op, Attributes a, TensorType x)
    {
        if (x.Rank < 3
            || x.BatchAxis > 0) throw new ShapeException($"{op.Name}: the input is [N, C, sizes], not {x.Text}");
        return new WindowShape(op, a, [.. x.Dims.Skip(2).Select(d => d.Size)]);
    }

    public static WindowShape Of(Op op, Attributes a, ReadOnlySpan<int> sizes) => new(op, a, sizes.ToArray());

    /// <summary>
    /// For each (tap, place) in row-major order: the pixel of a plane that the window sees, or -1 in the padding.
    /// </summary>
    public int[] Map()
    {
        var d = _sizes.Length;
        var map = new int[Taps * Places];
        Span<int> tap = stackalloc int[d];
        Span<int> place = stackalloc int[d];
        for (var t = 0; t < Taps; t++)
        {
            Split(t, _kernel, tap);
            for (var p = 0; p < Places; p++)
            {
                Split(p, Out, place);
                var pixel = 0;
                for (var i = 0; i < d && pixel >= 0; i++)
                {
                    var at = (place[i] * _stride[i]) - _padding[i] + (tap[i] * _dilation[i]);
                    pixel = (uint)at < (uint)_sizes[i] ? (pixel * _sizes[i]) + at : -1;
                }

                map[(t * Places) + p] = pixel;
            }
        }

        return map;
    }

    private static void Split(int index, int[] sizes, Span<int> digits)
    {
        for (var i = sizes.Length - 1; i >= 0; i--)
        {
            digits[i] = index % sizes[i];
            index /= sizes[i];
        }
    }
}
