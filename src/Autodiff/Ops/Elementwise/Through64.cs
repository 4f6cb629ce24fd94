using System.Runtime.CompilerServices;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Functions without a vector formula: each lane is computed in float64 and rounded once, so every register width
/// gives the same bits and float32 results are right to half an ulp almost everywhere. Registers come in pairs too, so
/// there are as many lanes as their type says: 32 with 512 bits.
/// </summary>
internal static unsafe class Through64
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static V Unary<V, TOperator>(V x) where V : unmanaged, ILanes<V> where TOperator : struct, IUnaryOperator
    {
        var lanes = stackalloc float[V.Count];
        V.Store(x, lanes);
        for (var i = 0; i < V.Count; i++) lanes[i] = (float)TOperator.Double(lanes[i]);
        return V.Load(lanes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static V Binary<V, TOperator>(V x, V y) where V : unmanaged, ILanes<V> where TOperator : struct,
        IBinaryOperator
    {
        var left = stackalloc float[V.Count];
        var right = stackalloc float[V.Count];
        V.Store(x, left);
        V.Store(y, right);
        for (var i = 0; i < V.Count; i++) left[i] = (float)TOperator.Double(left[i], right[i]);
        return V.Load(left);
    }
}
