using Convoy.Kernels.Cpu;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Operators;

namespace Convoy.Kernels.Tests;

/// <summary>
/// Large outputs go past the caches (AD-14, K-4): the bits are those of a plain store, wherever the output begins, and
/// nothing is written outside of it.
/// </summary>
public sealed unsafe class StreamTests
{
    private const int Guard = 20;

    [Fact]
    public void Elements_have_the_bits_of_a_plain_store() => Widths.Check(new Elements());

    [Fact]
    public void Rows_have_the_bits_of_a_plain_store() => Widths.Check(new Rows());

    [Fact]
    public void Size_alone_decides()
    {
        Assert.False(Memory.Streams((8 << 20) - 1));
        Assert.True(Memory.Streams(8 << 20));
    }

    private delegate void Kernel(float* x, float* y, bool stream);

    // Both outputs lie in the middle of a buffer, at every offset within a cache line.
    private static void Same(string what, int count, Kernel kernel)
    {
        Same($"{what}, odd numbers", count, new Numbers(7).Odd(count + Guard), kernel);
        Same(what, count, new Numbers(7).Floats(count + Guard), kernel);
    }

    private static void Same(string what, int count, float[] x, Kernel kernel)
    {
        for (var offset = 0; offset < Guard - 1; offset++)
        {
            var (plain, streamed) = (new float[count + (2 * Guard)], new float[count + (2 * Guard)]);
            fixed (float* px = x, py = plain, ps = streamed)
            {
                kernel(px, py + offset, false);
                kernel(px, ps + offset, true);
            }

            Bits.Equal(plain, streamed, $"{what}, offset {offset}");
        }
    }

    private readonly struct Elements : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            foreach (var count in (int[])[0, 3, 17, 64, 131])
            {
                Same($"add of {count}, {width}", count, (x, y, stream) =>
                    FloatElementwise.Binary<V, Add>(x, x + 1, y, count, stream));
                Same($"relu of {count}, {width}", count, (x, y, stream) =>
                    FloatElementwise.Unary<V, Relu>(x, y, count, stream));
                Same($"exp of {count}, {width}", count, (x, y, stream) =>
                    FloatElementwise.Unary<V, Exp>(x, y, count, stream));
                Same($"GELU of {count}, {width}", count, (x, y, stream) =>
                    FloatElementwise.Unary<V, Gelu>(x, y, count, stream));
                Same($"sigmoid of {count}, {width}", count, (x, y, stream) =>
                    FloatElementwise.Unary<V, Sigmoid>(x, y, count, stream));
                Same($"silu of {count}, {width}", count, (x, y, stream) =>
                    FloatElementwise.Unary<V, Silu>(x, y, count, stream));
                Same($"tanh of {count}, {width}", count, (x, y, stream) =>
                    FloatElementwise.Unary<V, Tanh>(x, y, count, stream));
                Same($"product of {count}, {width}", count, (x, y, stream) =>
                    FloatElementwise.BinaryScalar<V, Multiply>(x, 1.5f, y, count, stream));
            }
        }
    }

    private readonly struct Rows : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            // Rows abreast where whole groups fill a row and the output begins at a line, else one after the other.
            foreach (var (rows, n) in ((int, int)[])
                [(3, 1), (3, 17), (3, 64), (3, 70), (1, 64), (2, 16), (6, 48), (3, 2_048), (3, 2_064)])
            {
                Same($"layer norm of {rows} x {n}, {width}", rows * n, (x, y, stream) =>
                {
                    var figures = stackalloc float[2 * rows];
                    FloatLayerNorm.Forward<V>(x, rows, n, x, x + 1, 1e-5f, y, figures, figures + rows, stream);
                });
                Same($"softmax of {rows} x {n}, {width}", rows * n, (x, y, stream) =>
                    FloatSoftmax.Forward<V>(x, rows, n, y, stream));
            }
        }
    }
}
