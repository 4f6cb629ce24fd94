using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Rows;

namespace Convoy.Kernels.Cpu;

// e^x for each element, x and y apart: by the short formula where a block's exponents allow it.
internal static unsafe class ExpElements
{
    // A block is done again where it must be: little enough to be in the first-level cache still.
    private const int Block = 2_048;
    private const int Ahead = 512;

    public static void Run<V>(float* x, float* y, int count, bool stream) where V : unmanaged, ILanes<V>
    {
        var i = 0;
        if (stream)
        {
            i = Math.Min(Memory.ToLine(y), count);
            One<V, Stored>(new Stored(x, y), i);
            for (; i <= count - Order.Lanes; i += Block)
            {
                var length = Math.Min(Block, (count - i) / Order.Lanes * Order.Lanes);
                One<V, Streamed>(new Streamed(x + i, y + i), length);
                if (length < Block)
                {
                    i += length;
                    break;
                }
            }
        }

        for (; i < count; i += Block) One<V, Stored>(new Stored(x + i, y + i), Math.Min(Block, count - i));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void One<V, TTerm>(in TTerm term, int count)
        where V : unmanaged, ILanes<V> where TTerm : struct, IExpTerm
    {
        if (!Exponentials.Near<V, TTerm>(term, count, out _)) Exponentials.Any<V, TTerm>(term, count);
    }

    private readonly struct Stored(float* x, float* y) : IExpTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Exponent<V>(nint i) where V : unmanaged, ILanes<V> => V.Load(x + i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V IsNear<V>(V exponent) where V : unmanaged, ILanes<V> => Exponentials.IsNear(exponent);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Take<V>(V power, V sum, nint i) where V : unmanaged, ILanes<V>
        {
            V.Store(power, y + i);
            return sum;
        }
    }

    // Only whole lines: y begins at one, and the count is in groups.
    private readonly struct Streamed(float* x, float* y) : IExpTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Exponent<V>(nint i) where V : unmanaged, ILanes<V>
        {
            Memory.Fetch(x + i + Ahead);
            return V.Load(x + i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V IsNear<V>(V exponent) where V : unmanaged, ILanes<V> => Exponentials.IsNear(exponent);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Take<V>(V power, V sum, nint i) where V : unmanaged, ILanes<V>
        {
            V.Stream(power, y + i);
            return sum;
        }
    }
}
