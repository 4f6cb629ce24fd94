using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Convoy.Kernels.Cpu.Products;

namespace Convoy.Kernels.Cpu;

// Copies of 32-bit elements from any strides. Axes that follow each other in the source as in the copy become one. Then
// either the last axis lies side by side in the source, and rows are copied; or another axis does, and blocks of it and
// the last one are transposed in registers; or neither, and elements are copied one by one.
internal static unsafe class FloatStrided
{
    private const int AxesMax = 16;
    private const int Side = 16;
    private const int Piece = 64;
    private const int ElementsPerPart = 65_536;

    public static bool Fits(ReadOnlySpan<int> dims) => dims.Length is > 0 and <= AxesMax;

    public static void Copy(ReadOnlySpan<int> dims, float* x, ReadOnlySpan<int> strides, float* y)
    {
        var view = new View();
        view.Merge(dims, strides);
        if (view.Elements == 0) return;
        var work = new Parts(view, x, y);
        ThreadTeam.Run(ref work, Math.Min(ThreadTeam.ElementParts(view.Elements, ElementsPerPart), view.Blocks));
    }

    [InlineArray(AxesMax)]
    private struct Axis
    {
        private int _first;
    }

    // Axes with the last first. One, `SideAxis`, lies side by side in the source, if there is one.
    private struct View
    {
        private Axis _sizes;
        private Axis _strides;
        private int _count;

        public int SideAxis { get; private set; }
        public long Elements { get; private set; }

        public readonly int Inner => _sizes[0];
        public readonly nint InnerStride => _strides[0];
        public readonly int SideSize => SideAxis > 0 ? _sizes[SideAxis] : 1;

        /// <summary>Pieces that are copied apart: rows of the last axis, or planes of it and the side axis.</summary>
        public readonly int Blocks => (int)(Elements / Inner / SideSize);

        public void Merge(ReadOnlySpan<int> dims, ReadOnlySpan<int> strides)
        {
            (_count, Elements, SideAxis) = (0, 1, 0);
            for (var d = dims.Length - 1; d >= 0; d--)
            {
                Elements *= dims[d];
                if (dims[d] == 1) continue;
                if (_count > 0 && strides[d] == _strides[_count - 1] * _sizes[_count - 1])
                {
                    _sizes[_count - 1] *= dims[d];
                    continue;
                }

                (_sizes[_count], _strides[_count]) = (dims[d], strides[d]);
                if (strides[d] == 1 && _count > 0 && _strides[0] != 1) SideAxis = _count;
                _count++;
            }

            if (_count == 0) (_sizes[0], _strides[0], _count) = (1, 1, 1);
        }

        /// <summary>Where a block begins in the source and in the copy.</summary>
        public readonly (nint Source, nint Copy) Start(int block)
        {
            nint source = 0, copy = 0, step = 1;
            for (var axis = 0; axis < _count; step *= _sizes[axis], axis++)
            {
                if (axis == 0 || (axis == SideAxis && SideAxis > 0)) continue;
                (block, var place) = Math.DivRem(block, _sizes[axis]);
                source += place * (nint)_strides[axis];
                copy += place * step;
            }

            return (source, copy);
        }

        /// <summary>Elements of the copy between neighbours along the side axis.</summary>
        public readonly nint SideStep()
        {
            nint step = 1;
            for (var axis = 0; axis < SideAxis; axis++) step *= _sizes[axis];
            return step;
        }
    }

    private readonly struct Parts(View view, float* x, float* y) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (from, count) = ThreadTeam.Range(view.Blocks, part, parts);
            var side = view.SideStep();
            for (var block = from; block < from + count; block++)
            {
                var (source, copy) = view.Start(block);
                if (view.SideAxis > 0) Plane(view, x + source, y + copy, side);
                else Row(view, x + source, y + copy);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row(in View view, float* x, float* y)
    {
        var (count, stride) = (view.Inner, view.InnerStride);
        if (stride == 1) new Span<float>(x, count).CopyTo(new Span<float>(y, count));
        else if (stride == 0) new Span<float>(y, count).Fill(*x);
        else for (nint i = 0; i < count; i++, x += stride) y[i] = *x;
    }

    // copy[s, i] = source[i, s]. Sixteen places of the side axis make a cache line of the source; rows of the copy are
    // collected in a buffer and written in pieces of four lines, because a step that is a power of two would have them
    // push each other out of the cache. The pages of a few rows of the source are used up before the next ones.
    private static void Plane(in View view, float* x, float* y, nint step)
    {
        for (var i = 0; i < view.Inner; i += Piece)
            for (var s = 0; s < view.SideSize; s += Side)
                Block(
                    x + s + (i * view.InnerStride), view.InnerStride, Math.Min(Piece, view.Inner - i),
                    Math.Min(Side, view.SideSize - s), y + (s * step) + i, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Block(float* x, nint stride, int rows, int width, float* y, nint step)
    {
        var buffer = stackalloc float[Side * Piece];
        var i = 0;
        if (Avx.IsSupported && width == Side)
        {
            for (; i <= rows - 8; i += 8, x += 8 * stride)
            {
                for (var r = 0; r < 8; r++) Memory.Fetch(x + (2 * Side) + (r * stride));
                Pack.Transpose8x8(x, stride, buffer + i, Piece);
                Pack.Transpose8x8(x + 8, stride, buffer + (8 * Piece) + i, Piece);
            }
        }

        for (; i < rows; i++, x += stride)
            for (var w = 0; w < width; w++) buffer[(w * Piece) + i] = x[w];
        for (var w = 0; w < width; w++)
            new Span<float>(buffer + (w * Piece), rows).CopyTo(new Span<float>(y + (w * step), rows));
    }
}
