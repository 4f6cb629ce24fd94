using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Tests;

// K-4 for attention, forward and backward, with q, k, v as column ranges of one projection.
public sealed unsafe class AttentionTests
{
    private sealed record Case(int Batch, int Time, int Heads, int HeadSize, bool Causal, bool Odd = false, int Pad = 0)
        : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            var d = Heads * HeadSize;
            var shape = new AttentionShape(Batch, Time, Heads, HeadSize, (3 * d) + Pad, d + Pad, Causal);
            var numbers = new Numbers(5);
            float[] New(int count) => Odd ? numbers.Odd(count) : numbers.Floats(count);
            var (qkv, dOutput) = (New(Batch * Time * ((3 * d) + Pad)), New(Batch * Time * (d + Pad)));
            var (o1, o2) = (new float[dOutput.Length], new float[dOutput.Length]);
            var (l1, l2) = (new float[Batch * Heads * Time], new float[Batch * Heads * Time]);
            var (g1, g2) = (new float[qkv.Length], new float[qkv.Length]);
            ReadOnlySpan<float> all = qkv;
            AttentionReference.Forward(all, all[d..], all[(2 * d)..], o1.AsSpan(), l1.AsSpan(), shape);
            AttentionReference.Backward(
                all, all[d..], all[(2 * d)..], o1, l1, dOutput, g1.AsSpan(), g1.AsSpan(d), g1.AsSpan(2 * d), shape);
            fixed (float* q = qkv, o = o2, l = l2, g = g2, dout = dOutput)
            {
                var call = new AttentionCall
                {
                    Shape = shape, Q = q, K = q + d, V = q + (2 * d), Output = o, LogSumExp = l, DOutput = dout,
                    DQ = g, DK = g + d, DV = g + (2 * d),
                };
                FloatAttention.Forward<V>(call);
                FloatAttention.Backward<V>(call);
            }

            Bits.Equal(o1, o2, $"output of {this}, {width}");
            Bits.Equal(l1, l2, $"log-sum-exp of {this}, {width}");
            Bits.Equal(g1, g2, $"gradients of {this}, {width}");
        }
    }

    [Theory]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 7, 2, 5)]
    [InlineData(1, 16, 1, 16)]
    [InlineData(1, 37, 3, 32)]
    [InlineData(2, 64, 2, 16)]
    [InlineData(1, 270, 1, 8)]
    [InlineData(1, 256, 1, 8)]
    [InlineData(1, 523, 2, 5)] // three blocks of queries
    public void K4_attention_has_the_bits_of_the_reference(int batch, int time, int heads, int headSize)
    {
        Widths.Check(new Case(batch, time, heads, headSize, true));
        Widths.Check(new Case(batch, time, heads, headSize, false));
    }

    [Fact]
    public void K4_random_attention_with_odd_numbers()
    {
        var numbers = new Numbers(29);
        for (var i = 0; i < 30; i++)
            Widths.Check(new Case(
                numbers.Int(1, 3), numbers.Int(1, 40), numbers.Int(1, 4), numbers.Int(1, 40), i % 2 == 0, i % 3 > 0,
                numbers.Int(0, 4)));
    }

    [Theory]
    [InlineData(257)]
    [InlineData(511)]
    [InlineData(600)]
    public void K4_long_attention_with_odd_numbers(int time)
    {
        Widths.Check(new Case(1, time, 1, 7, true, Odd: true, Pad: 1));
        Widths.Check(new Case(1, time, 1, 7, false, Odd: true));
    }

    // AD-15: the scores of a head, Time² numbers, would be 64 MB here, and as much their gradients.
    [Fact]
    public void The_scores_of_a_head_are_never_written_whole()
    {
        const int time = 4_096, d = 8;
        var bytes = 0L;
        var thread = new Thread(() =>
        {
            var qkv = new Numbers(2).Floats(time * 3 * d);
            var (output, lse, gradient) = (new float[time * d], new float[time], new float[time * 3 * d]);
            fixed (float* q = qkv, o = output, l = lse, g = gradient)
            {
                var call = new AttentionCall
                {
                    Shape = new AttentionShape(1, time, 1, d, 3 * d, d, true), Q = q, K = q + d, V = q + (2 * d),
                    Output = o, LogSumExp = l, DOutput = o, DQ = g, DK = g + d, DV = g + (2 * d),
                };
                FloatAttention.Forward(call);
                FloatAttention.Backward(call);
            }

            bytes = Scratch.ThreadBytes;
        });
        thread.Start();
        thread.Join();
        Assert.InRange(bytes, 1, 20 << 20);
    }

    [Fact]
    public void K1_samples_do_not_depend_on_the_batch_and_queries_not_on_later_keys()
    {
        var (time, d) = (20, 8);
        var numbers = new Numbers(2);
        var qkv = numbers.Floats(3 * time * 3 * d);
        var whole = Forward(qkv, 3, time, d);
        var second = Forward(qkv[(time * 3 * d)..(2 * time * 3 * d)], 1, time, d);
        Bits.Equal(whole.AsSpan(time * d, time * d), second, "sample 1 of 3");
        var shorter = Forward(qkv[..(11 * 3 * d)], 1, 11, d);
        Bits.Equal(whole.AsSpan(0, 11 * d), shorter, "first 11 queries");
    }

    // 0 times infinity is no zero: a later key in the same tile of registers made the output NaN.
    [Theory]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NaN)]
    public void K1_queries_do_not_see_later_keys_that_are_not_finite(float later)
    {
        const int time = 20, d = 8, from = 9;
        var qkv = new Numbers(2).Floats(time * 3 * d);
        var clean = Forward(qkv, 1, time, d);
        qkv.AsSpan(from * 3 * d).Fill(later);
        Bits.Equal(clean.AsSpan(0, from * d), Forward(qkv, 1, time, d).AsSpan(0, from * d), "queries before");
    }

    private static float[] Forward(float[] qkv, int batch, int time, int d)
    {
        var output = new float[batch * time * d];
        ReadOnlySpan<float> all = qkv;
        Attention.Forward(
            all, all[d..], all[(2 * d)..], output.AsSpan(), new float[batch * time * 2].AsSpan(),
            new AttentionShape(batch, time, 2, d / 2, 3 * d, d, true));
        return output;
    }
}
