using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Rows;

// Sums over any axes of a contiguous array. Neighbouring axes that are both summed, or both kept, are one axis; what
// remains alternates. Where the last axis is summed, an output is a chain of stretches of memory. Where it is kept, the
// sixteen virtual lanes of a strip of outputs lie in the first-level cache, and every row of the strip is added to one.
internal static unsafe class FloatReduce
{
    private const int ElementsPerPart = 65_536;
    internal const int Strip = 256;
    private const int Ahead = 6;

    public static void Sum(ReadOnlySpan<int> dims, uint axes, float* x, float* y)
    {
        var axesMerged = new Axes(stackalloc int[2 * dims.Length], stackalloc int[2 * dims.Length]);
        axesMerged.Merge(dims, axes);
        if (axesMerged.Outputs == 0) return;
        if (axesMerged.Terms == 0)
        {
            new Span<float>(y, axesMerged.Outputs).Clear();
            return;
        }

        var work = new Parts(axesMerged, x, y);
        var parts = ThreadTeam.ElementParts((long)axesMerged.Outputs * axesMerged.Terms, ElementsPerPart);
        ThreadTeam.Run(ref work, Math.Min(parts, axesMerged.Units));
    }

    // Sizes and strides, the last axis first, of kept and of summed axes; the innermost of all is apart.
    private ref struct Axes(Span<int> kept, Span<int> summed)
    {
        private readonly Span<int> _kept = kept;
        private readonly Span<int> _summed = summed;
        private int _keptCount;
        private int _summedCount;

        public int Inner { get; private set; } = 1;
        public bool InnerSummed { get; private set; }
        public int Outputs { get; private set; } = 1;
        public int Terms { get; private set; } = 1;

        /// <summary>Pieces that can be computed apart: outputs, or strips of them.</summary>
        public readonly int Units => InnerSummed ? Outputs : Outputs / Inner * Strips;
        public readonly int Strips => (Inner + Strip - 1) / Strip;
        public readonly int OuterTerms => InnerSummed ? Terms / Inner : Terms;

        public void Merge(ReadOnlySpan<int> dims, uint axes)
        {
            var (stride, size, last) = (1, 1, -1);
            for (var d = dims.Length - 1; d >= 0; d--)
            {
                var summed = (axes >> d & 1) != 0;
                if (summed) Terms = checked(Terms * dims[d]);
                else Outputs = checked(Outputs * dims[d]);
                if (dims[d] == 1) continue;
                if (last >= 0 && (last == 1) != summed)
                {
                    Close(last == 1, size, stride);
                    stride *= size;
                    size = 1;
                }

                last = summed ? 1 : 0;
                size *= dims[d];
            }

            Close(last == 1, size, stride);
        }

        private void Close(bool summed, int size, int stride)
        {
            if (stride == 1)
            {
                (Inner, InnerSummed) = (size, summed);
                return;
            }

            if (summed) (_summed[_summedCount++], _summed[_summedCount++]) = (size, stride);
            else (_kept[_keptCount++], _kept[_keptCount++]) = (size, stride);
        }

        public readonly nint KeptOffset(int index) => Offset(_kept[.._keptCount], index);
        public readonly nint TermOffset(int index) => Offset(_summed[.._summedCount], index);

        private static nint Offset(ReadOnlySpan<int> axes, int index)
        {
            nint offset = 0;
            for (var i = 0; i < axes.Length; i += 2)
            {
                (index, var place) = Math.DivRem(index, axes[i]);
                offset += (nint)place * axes[i + 1];
            }

            return offset;
        }
    }

    private readonly ref struct Parts(Axes axes, float* x, float* y) : ITeamWork
    {
        private readonly Axes _axes = axes;
        private readonly float* _x = x;
        private readonly float* _y = y;

        public void Run(int part, int parts)
        {
            var (from, count) = ThreadTeam.Range(_axes.Units, part, parts);
            var lanes = Scratch.Floats(ScratchSlot.ReduceLanes, Order.Lanes * Strip);
            for (var unit = from; unit < from + count; unit++)
            {
                if (_axes.InnerSummed)
                {
                    _y[unit] = Stretches(_axes, _x + _axes.KeptOffset(unit));
                    continue;
                }

                var (outer, strip) = Math.DivRem(unit, _axes.Strips);
                var width = Math.Min(Strip, _axes.Inner - (strip * Strip));
                Columns(
                    _axes, _x + _axes.KeptOffset(outer) + (strip * Strip), width, lanes,
                    _y + ((nint)outer * _axes.Inner) + (strip * Strip));
            }
        }
    }

    private static float Stretches(in Axes axes, float* x)
    {
        var lanes = stackalloc float[Order.Lanes];
        new Span<float>(lanes, Order.Lanes).Clear();
        var (lane, terms, closed, blocks) = (0, 0, false, 0d);
        for (var outer = 0; outer < axes.OuterTerms; outer++)
        {
            var stretch = x + axes.TermOffset(outer);
            for (int from = 0, take; from < axes.Inner; from += take, terms += take)
            {
                if (terms == Order.LaneBlock)
                {
                    var block = LaneSums.Fold(lanes);
                    (blocks, closed, terms) = (closed ? blocks + block : block, true, 0);
                    new Span<float>(lanes, Order.Lanes).Clear();
                }

                take = Math.Min(axes.Inner - from, Order.LaneBlock - terms);
                if (SimdInfo.Lanes == 16) Stretch<Lane16>(stretch + from, take, lanes, ref lane);
                else if (SimdInfo.Lanes == 8) Stretch<Lane8>(stretch + from, take, lanes, ref lane);
                else if (SimdInfo.Lanes == 4) Stretch<Lane4>(stretch + from, take, lanes, ref lane);
                else Stretch<Lane1>(stretch + from, take, lanes, ref lane);
            }
        }

        var last = LaneSums.Fold(lanes);
        return closed ? (float)(blocks + last) : last;
    }

    // Terms go on from a lane: one by one to the first lane, sixteen by sixteen, and the rest one by one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Stretch<V>(float* x, int count, float* lanes, ref int lane) where V : unmanaged, ILanes<V>
    {
        var i = 0;
        for (; i < count && lane != 0; i++, lane = (lane + 1) % Order.Lanes) lanes[lane] += x[i];
        for (var l = 0; l < Order.Lanes; l += V.Count)
        {
            var sum = V.Load(lanes + l);
            for (var j = i; j <= count - Order.Lanes; j += Order.Lanes) sum += V.Load(x + j + l);
            V.Store(sum, lanes + l);
        }

        i += (count - i) / Order.Lanes * Order.Lanes;
        for (; i < count; i++, lane = (lane + 1) % Order.Lanes) lanes[lane] += x[i];
    }

    private static void Columns(in Axes axes, float* x, int width, float* lanes, float* y)
    {
        new Span<float>(lanes, Order.Lanes * Strip).Clear();
        var blocks = stackalloc double[axes.Terms > Order.LaneBlock ? Strip : 0];
        for (var term = 0; term < axes.Terms; term++)
        {
            if (term > 0 && term % Order.LaneBlock == 0)
            {
                Fold(lanes, width);
                for (var j = 0; j < width; j++) blocks[j] = term == Order.LaneBlock ? lanes[j] : blocks[j] + lanes[j];
                new Span<float>(lanes, Order.Lanes * Strip).Clear();
            }

            var ahead = x + axes.TermOffset(Math.Min(term + Ahead, axes.Terms - 1));
            for (var j = 0; j < width; j += Order.Lanes) Memory.Fetch(ahead + j);
            Add(lanes + (term % Order.Lanes * Strip), x + axes.TermOffset(term), width);
        }

        Fold(lanes, width);
        if (axes.Terms <= Order.LaneBlock) new Span<float>(lanes, width).CopyTo(new Span<float>(y, width));
        else for (var j = 0; j < width; j++) y[j] = (float)(blocks[j] + lanes[j]);
    }

    // The lanes of each column, into its first.
    private static void Fold(float* lanes, int width)
    {
        for (var half = Order.Lanes / 2; half > 0; half /= 2)
            for (var lane = 0; lane < half; lane++) Add(lanes + (lane * Strip), lanes + ((lane + half) * Strip), width);
    }

    private static void Add(float* sums, float* x, int count)
    {
        if (SimdInfo.Lanes == 16) FloatElementwise.Binary<Lane16, Operators.Add>(sums, x, sums, count);
        else if (SimdInfo.Lanes == 8) FloatElementwise.Binary<Lane8, Operators.Add>(sums, x, sums, count);
        else if (SimdInfo.Lanes == 4) FloatElementwise.Binary<Lane4, Operators.Add>(sums, x, sums, count);
        else FloatElementwise.Binary<Lane1, Operators.Add>(sums, x, sums, count);
    }
}
