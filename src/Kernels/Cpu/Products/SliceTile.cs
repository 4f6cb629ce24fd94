using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Products;

/// <summary>A slice of a pass: its rows, and how many finished nodes it completes.</summary>
internal record struct SliceStep(int Rows, int Merges);

// The register tile of a weight gradient: all slices of a pass in one call (K-3). Each slice is one chain from zero; a
// finished one takes the nodes that it completes from a stack of tiles (12 registers each, in the first-level cache)
// and joins it, and the last one goes to c. One call for all slices, because at 16 rows a slice a call for each of them
// costs a third of its multiply-adds, and because c can then be asked for long before it is written.
// Same layout as Tile.Packed, same reason for the repetition: the twelve sums stay in registers.
internal static unsafe class SliceTile
{
    // With fewer terms the tile is through before c has come.
    private const int FetchTermsMin = 64;

    /// <summary>Runs the steps; `terms` is the sum of their rows, `stack` has room for a tile of each level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<V>(
        SliceStep* step, SliceStep* last, int terms, float* a, float* b, float* stack, float* c, nint ldc, bool add)
        where V : unmanaged, ILanes<V>
    {
        if (terms >= FetchTermsMin) Tile.Fetch(c, ldc, 2 * V.Count);
        for (; ; step++)
        {
            V s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default;
            V s30 = default, s31 = default, s40 = default, s41 = default, s50 = default, s51 = default;
            var rows = step->Rows;
            for (; rows >= 4; rows -= 4, a += 4 * Tile.Rows, b += 8 * V.Count)
            {
                Tile.Terms(a, b, ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                    ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
                Tile.Terms(a + (1 * Tile.Rows), b + (2 * V.Count), ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                    ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
                Tile.Terms(a + (2 * Tile.Rows), b + (4 * V.Count), ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                    ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
                Tile.Terms(a + (3 * Tile.Rows), b + (6 * V.Count), ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                    ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
            }

            for (; rows > 0; rows--, a += Tile.Rows, b += 2 * V.Count)
            {
                Tile.Terms(a, b, ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                    ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
            }

            for (var merges = step->Merges; merges > 0; merges--)
            {
                stack -= Tile.Rows * 2 * V.Count;
                s00 = V.Load(stack) + s00;
                s01 = V.Load(stack + V.Count) + s01;
                s10 = V.Load(stack + (2 * V.Count)) + s10;
                s11 = V.Load(stack + (3 * V.Count)) + s11;
                s20 = V.Load(stack + (4 * V.Count)) + s20;
                s21 = V.Load(stack + (5 * V.Count)) + s21;
                s30 = V.Load(stack + (6 * V.Count)) + s30;
                s31 = V.Load(stack + (7 * V.Count)) + s31;
                s40 = V.Load(stack + (8 * V.Count)) + s40;
                s41 = V.Load(stack + (9 * V.Count)) + s41;
                s50 = V.Load(stack + (10 * V.Count)) + s50;
                s51 = V.Load(stack + (11 * V.Count)) + s51;
            }

            if (step == last)
            {
                Tile.Row(c, s00, s01, add);
                Tile.Row(c + ldc, s10, s11, add);
                c += 2 * ldc;
                Tile.Row(c, s20, s21, add);
                Tile.Row(c + ldc, s30, s31, add);
                c += 2 * ldc;
                Tile.Row(c, s40, s41, add);
                Tile.Row(c + ldc, s50, s51, add);
                return;
            }

            V.Store(s00, stack);
            V.Store(s01, stack + V.Count);
            V.Store(s10, stack + (2 * V.Count));
            V.Store(s11, stack + (3 * V.Count));
            V.Store(s20, stack + (4 * V.Count));
            V.Store(s21, stack + (5 * V.Count));
            V.Store(s30, stack + (6 * V.Count));
            V.Store(s31, stack + (7 * V.Count));
            V.Store(s40, stack + (8 * V.Count));
            V.Store(s41, stack + (9 * V.Count));
            V.Store(s50, stack + (10 * V.Count));
            V.Store(s51, stack + (11 * V.Count));
            stack += Tile.Rows * 2 * V.Count;
        }
    }
}
