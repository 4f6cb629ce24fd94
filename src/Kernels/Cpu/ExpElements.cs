using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Rows;

namespace Convoy.Kernels.Cpu;

// A function with one exponential for each element, x and y apart, a block at a time: by the short formula where the
// block's exponents allow it.
internal static unsafe class ExpElements
{
    // A block is done again where it must be: little enough to be in the first-level cache still.
    private const int Block = 2_048;
    public const int Ahead = 2_048;

    public static void Run<V, TForm>(float* x, float* y, int count, bool stream)
        where V : unmanaged, ILanes<V> where TForm : struct, IExpForm
    {
        if (typeof(TForm) == typeof(GeluForm) && V.Count == Order.Lanes)
        {
            GeluWide.Run<V>(x, y, count, stream);
            return;
        }

        var exponents = stackalloc float[TForm.IsLong ? Math.Min(count, Block) : 0];
        var i = 0;
        if (stream)
        {
            i = Math.Min(Memory.ToLine(y), count);
            Part<V, TForm, Plain>(x, y, i, exponents);
            for (int length; i <= count - Order.Lanes; i += length)
            {
                length = Math.Min(Block, (count - i) / Order.Lanes * Order.Lanes);
                // Whole lines: y begins at one, and the count is in groups.
                Part<V, TForm, Past>(x + i, y + i, length, exponents);
            }
        }

        for (; i < count; i += Block)
            Part<V, TForm, Plain>(x + i, y + i, Math.Min(Block, count - i), exponents);
    }

    private static void Part<V, TForm, TStore>(float* x, float* y, int count, float* exponents)
        where V : unmanaged, ILanes<V> where TForm : struct, IExpForm
    {
        if (TForm.IsLong)
        {
            Exponents<V, TForm>(x, exponents, count);
            One<V, Term<TForm, Given, TStore>>(new(x, exponents, y, Block), count);
        }
        else
        {
            One<V, Term<TForm, Own, TStore>>(new(x, x, y, Ahead), count);
        }
    }

    // Two registers at a time: each constant is loaded once for both.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Exponents<V, TForm>(float* x, float* exponents, int count)
        where V : unmanaged, ILanes<V> where TForm : struct, IExpForm
    {
        var i = 0;
        for (; i <= count - (2 * V.Count); i += 2 * V.Count)
            Pair<V>.Store(TForm.Exponent(Pair<V>.Load(x + i)), exponents + i);
        for (; i < count; i++) Lane1.Store(TForm.Exponent(Lane1.Load(x + i)), exponents + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void One<V, TTerm>(in TTerm term, int count)
        where V : unmanaged, ILanes<V> where TTerm : struct, IExpTerm
    {
        if (!Exponentials.Near<V, TTerm>(term, count, out _)) Exponentials.Any<V, TTerm>(term, count);
    }

    // Two choices that the compiler sees: exponents made here or given, stores through the caches or past them.
    private readonly struct Own;
    private readonly struct Given;
    private readonly struct Plain;
    private readonly struct Past;

    private readonly struct Term<TForm, TExponent, TStore>(float* x, float* exponents, float* y, nint ahead) : IExpTerm
        where TForm : struct, IExpForm
    {
        private readonly float* _ahead = x + ahead;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Ahead(nint i)
        {
            if (typeof(TStore) == typeof(Past)) Memory.Fetch(_ahead + i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Exponent<V>(nint i) where V : unmanaged, ILanes<V> =>
            typeof(TExponent) == typeof(Own) ? TForm.Exponent(V.Load(x + i)) : V.Load(exponents + i);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => TForm.Reach(reach, exponent);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Take<V>(V power, V sum, nint i) where V : unmanaged, ILanes<V>
        {
            // The compiler keeps a load whose value nobody uses.
            var result = TForm.TakesX ? TForm.Result(V.Load(x + i), power) : TForm.Result(default, power);
            if (typeof(TStore) == typeof(Past)) V.Stream(result, y + i);
            else V.Store(result, y + i);
            return sum;
        }
    }
}
