using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Cpu.Rows;

namespace Convoy.Kernels.Cpu;

/// <summary>Where attention's operands lie; see <see cref="AttentionShape"/>.</summary>
internal unsafe struct AttentionCall
{
    public AttentionShape Shape;
    public float* Q;
    public float* K;
    public float* V;
    public float* Output;
    public float* LogSumExp;
    public float* DOutput;
    public float* DQ;
    public float* DK;
    public float* DV;
}

// One head at a time, six queries at a time: their scores stay in the first-level cache from the product over the
// softmax to the product with v. Keys past the last visible one of the six are never visited; those between are
// -infinity, so their weight is +0. Works for head sizes up to one block of K-2; larger ones use the reference.
// Measured, b8 T128 h4 d32 causal, one core of Zen 3: 1.2 ms forward, 1.9 ms backward (2026-08).
internal static unsafe class FloatAttention
{
    public const int HeadSizeMax = Order.Block;

    internal const long FlopsPerPart = 2_000_000;

    public static void Forward(in AttentionCall call)
    {
        var work = new ForwardParts(call);
        ThreadTeam.Run(ref work, PartsOf(call.Shape));
    }

    internal static void Forward<V>(in AttentionCall call) where V : unmanaged, ILanes<V> =>
        Forward<V>(call, 0, call.Shape.Batch * call.Shape.Heads);

    private static void Forward<V>(in AttentionCall call, int firstHead, int heads) where V : unmanaged, ILanes<V>
    {
        var s = call.Shape;
        var head = new AttentionHead<V>(s, backward: false);
        for (var at = firstHead; at < firstHead + heads; at++)
        {
            var (b, h) = Math.DivRem(at, s.Heads);
            var (input, output) = (Place(b, h, s.InputStride, s), Place(b, h, s.OutputStride, s));
            var lse = call.LogSumExp + ((nint)at * s.Time);
            head.PackColumns(call.K + input, head.KeysT);
            head.PackRows(call.V + input, s.InputStride, head.Values);
            for (var i = 0; i < s.Time; i += Tile.Rows)
            {
                head.Scores(call.Q + input, s.InputStride, i, head.KeysT, head.P);
                ForwardRows(head, i, lse);
                head.WeightedSum(head.P, i, head.Values);
                head.WithoutUnseenKeys(head.P, i, call.V + input, s.InputStride);
                head.Write(call.Output + output + ((nint)i * s.OutputStride), s.OutputStride, i, head.Factors);
            }
        }
    }

    private static nint Place(int b, int h, int stride, in AttentionShape s) =>
        ((nint)b * s.Time * stride) + (h * s.HeadSize);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void ForwardRows<V>(in AttentionHead<V> head, int i, float* lse) where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < Math.Min(Tile.Rows, head.Shape.Time - i); r++)
        {
            var row = head.P + ((nint)r * head.Stride);
            var width = head.WidthOf(i);
            var max = AttentionHead<V>.Scale(row, head.Shape.Keys(i + r), width, (float)head.Shape.Factor);
            var total = LaneSums.Run<V, WeightTerm>(new WeightTerm(row, max), width);
            lse[i + r] = max + FloatMath.Log(new Lane1(total)).V;
            head.Factors[r] = 1f / total;
        }
    }

    /// <summary>Puts e^(x - max) in place of x and adds it; keys that are not seen are at -infinity.</summary>
    private readonly struct WeightTerm(float* row, float max) : ILaneTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Add<V>(V sum, nint i) where V : unmanaged, ILanes<V>
        {
            var value = FloatMath.Exp(V.Load(row + i) - V.Create(max));
            V.Store(value, row + i);
            return sum + value;
        }
    }

    // Heads of samples; each is computed by one thread, in scratch of its own.
    private static int PartsOf(in AttentionShape s) => (int)Math.Clamp(
        (long)s.Batch * s.Heads, 1,
        ThreadTeam.Parts(4L * s.Batch * s.Heads * s.Time * s.Time * s.HeadSize, FlopsPerPart));

    private readonly struct ForwardParts(AttentionCall call) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (at, heads) = ThreadTeam.Range(call.Shape.Batch * call.Shape.Heads, part, parts);
            if (SimdInfo.Lanes == 16) Forward<Lane16>(call, at, heads);
            else if (SimdInfo.Lanes == 8) Forward<Lane8>(call, at, heads);
            else if (SimdInfo.Lanes == 4) Forward<Lane4>(call, at, heads);
            else Forward<Lane1>(call, at, heads);
        }
    }

    private readonly struct BackwardParts(AttentionCall call) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (at, heads) = ThreadTeam.Range(call.Shape.Batch * call.Shape.Heads, part, parts);
            if (SimdInfo.Lanes == 16) Backward<Lane16>(call, at, heads);
            else if (SimdInfo.Lanes == 8) Backward<Lane8>(call, at, heads);
            else if (SimdInfo.Lanes == 4) Backward<Lane4>(call, at, heads);
            else Backward<Lane1>(call, at, heads);
        }
    }

    public static void Backward(in AttentionCall call)
    {
        var work = new BackwardParts(call);
        ThreadTeam.Run(ref work, PartsOf(call.Shape));
    }

    internal static void Backward<V>(in AttentionCall call) where V : unmanaged, ILanes<V> =>
        Backward<V>(call, 0, call.Shape.Batch * call.Shape.Heads);

    private static void Backward<V>(in AttentionCall call, int firstHead, int heads) where V : unmanaged, ILanes<V>
    {
        var s = call.Shape;
        var head = new AttentionHead<V>(s, backward: true);
        for (var at = firstHead; at < firstHead + heads; at++)
        {
            var (b, h) = Math.DivRem(at, s.Heads);
            var (input, output) = (Place(b, h, s.InputStride, s), Place(b, h, s.OutputStride, s));
            head.PackColumns(call.K + input, head.KeysT);
            head.PackColumns(call.V + input, head.ValuesT);
            head.PackRows(call.K + input, s.InputStride, head.Keys);
            var lse = call.LogSumExp + ((nint)at * s.Time);
            for (var t = 0; t < s.Time; t += Order.Block)
                BackwardBlock(head, call, new TermBlock(t, s.Time), input, output, lse);
        }
    }

    // dq of the block's queries, and what they add to dk and dv of the keys that they see.
    private static void BackwardBlock<V>(
        in AttentionHead<V> head, in AttentionCall call, in TermBlock block, nint input, nint output, float* lse)
        where V : unmanaged, ILanes<V>
    {
        var s = head.Shape;
        for (var i = block.First; i < block.End; i += Tile.Rows)
            BackwardRows(head, call, i, block.Row(i), input, output, lse);
        head.PackBlock(call.Q + input, s.InputStride, block, head.Queries);
        head.PackBlock(call.DOutput + output, s.OutputStride, block, head.Slopes);
        for (var j = 0; j < s.Time && s.FirstQuery(j) < block.End; j += Tile.Rows)
        {
            head.ColumnSum(head.DS, block, j, head.Queries);
            head.WithoutUnseeingQueries(head.DS, block, j, call.Q + input, s.InputStride);
            head.Carry(ofValues: false, block, j);
            if (block.End == s.Time)
                head.Write(call.DK + input + ((nint)j * s.InputStride), s.InputStride, j, null);
            head.ColumnSum(head.P, block, j, head.Slopes);
            head.WithoutUnseeingQueries(head.P, block, j, call.DOutput + output, s.OutputStride);
            head.Carry(ofValues: true, block, j);
            if (block.End == s.Time)
                head.Write(call.DV + input + ((nint)j * s.InputStride), s.InputStride, j, null);
        }
    }

    // p, ds and dq of six queries.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void BackwardRows<V>(
        in AttentionHead<V> head, in AttentionCall call, int i, int row, nint input, nint output, float* lse)
        where V : unmanaged, ILanes<V>
    {
        var s = head.Shape;
        var p = head.P + ((nint)row * head.Stride);
        var ds = head.DS + ((nint)row * head.Stride);
        head.Scores(call.Q + input, s.InputStride, i, head.KeysT, p);
        head.Scores(call.DOutput + output, s.OutputStride, i, head.ValuesT, ds);
        for (var r = 0; r < Math.Min(Tile.Rows, s.Time - i); r++)
        {
            var rowP = p + ((nint)r * head.Stride);
            var rowS = ds + ((nint)r * head.Stride);
            var at = output + ((nint)(i + r) * s.OutputStride);
            var delta = LaneSums.Run<V, DotTerm>(new DotTerm(call.DOutput + at, call.Output + at), s.HeadSize);
            AttentionHead<V>.Gradients(
                rowP, rowS, s.Keys(i + r), head.WidthOf(i), lse[i + r], delta, (float)s.Factor);
        }

        head.WeightedSum(ds, i, head.Keys);
        head.WithoutUnseenKeys(ds, i, call.K + input, s.InputStride);
        head.Write(call.DQ + input + ((nint)i * s.InputStride), s.InputStride, i, null);
    }
}
