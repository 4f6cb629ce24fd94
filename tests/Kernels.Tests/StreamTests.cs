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
        var x = new Numbers(7).Odd(count + Guard);
        for (var offset = 0; offset < Guard - 1; offset += 3)
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
                Same($"product of {count}, {width}", count, (x, y, stream) =>
                    FloatElementwise.BinaryScalar<V, Multiply>(x, 1.5f, y, count, stream));
            }
        }
    }

    private readonly struct Rows : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            foreach (var n in (int[])[1, 17, 64, 70])
            {
                Same($"layer norm of {n}, {width}", 3 * n, (x, y, stream) =>
                {
                    var figures = stackalloc float[6];
                    FloatLayerNorm.Forward<V>(x, 3, n, x, x + 1, 1e-5f, y, figures, figures + 3, stream);
                });
            }
        }
    }
}
