using System.Numerics;
using System.Runtime.CompilerServices;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Kernels.Operators;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>op(y, x): lets the loops whose second operand is repeated serve a repeated first one.</summary>
internal readonly struct Swapped<TOperator> : IBinaryOperator where TOperator : struct, IBinaryOperator
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => TOperator.Lanes(y, x);

    public static double Double(double x, double y) => TOperator.Double(y, x);
}

/// <summary>Shapes of two operands of which one repeats: the rule, and the choice of the loop.</summary>
internal static class Broadcasting
{
    public static TensorType Common(Op op, TensorType a, TensorType b)
    {
        var rank = Math.Max(a.Rank, b.Rank);
        Span<Dim> dims = new Dim[rank];
        for (var i = 0; i < rank; i++)
        {
            var x = i < rank - a.Rank ? 1 : a[i - (rank - a.Rank)];
            var y = i < rank - b.Rank ? 1 : b[i - (rank - b.Rank)];
            dims[i] = x == y || y == 1 ? x : x == 1 ? y
                : throw new ShapeException(
                    $"{op.Name}: shapes {a.Text} and {b.Text} differ in a dimension that is not 1: "
                    + (x.HasNames || y.HasNames ? $"{x} and {y} are the same for some sizes only; give both one symbol"
                        : "reshape or transpose one of them"));
        }

        return a.With(dims);
    }

    public static void Run<T, TOperator>(OpCall call)
        where T : unmanaged, IFloatingPointIeee754<T> where TOperator : struct, IBinaryOperator
    {
        var (a, b, y) = (call.Inputs[0], call.Inputs[1], call.Outputs[0]);
        if (y.Count == 0) return;
        if (a.Shape == y.Shape && b.Shape == y.Shape)
            Elementwise.Binary<T, TOperator>(a.Raw<T>(), b.Raw<T>(), y.Raw<T>());
        else if (a.Count == y.Count) Repeat<T, TOperator>(a, b, y);
        else if (b.Count == y.Count) Repeat<T, Swapped<TOperator>>(b, a, y);
        else Strided<T, TOperator>(a, b, y);
    }

    // a has as many elements as y; b is smaller.
    private static void Repeat<T, TOperator>(Tensor a, Tensor b, Tensor y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOperator : struct, IBinaryOperator
    {
        if (b.Count == 1) Elementwise.BinaryScalar<T, TOperator>(a.Raw<T>(), b.Raw<T>()[0], y.Raw<T>());
        else if (IsRow(b.Shape, y.Shape)) Elementwise.BinaryRow<T, TOperator>(a.Raw<T>(), b.Raw<T>(), y.Raw<T>());
        else if (IsColumn(b.Shape, y.Shape)) Elementwise.BinaryColumn<T, TOperator>(a.Raw<T>(), b.Raw<T>(), y.Raw<T>());
        else Strided<T, TOperator>(a, b, y);
    }

    private static void Strided<T, TOperator>(Tensor a, Tensor b, Tensor y)
        where T : unmanaged, IFloatingPointIeee754<T> where TOperator : struct, IBinaryOperator
    {
        Span<int> stridesA = stackalloc int[y.Rank];
        Span<int> stridesB = stackalloc int[y.Rank];
        Repeated(a.Shape.Dims, stridesA);
        Repeated(b.Shape.Dims, stridesB);
        Elementwise.BinaryStrided<T, TOperator>(y.Shape.Dims, a.Raw<T>(), stridesA, b.Raw<T>(), stridesB, y.Raw<T>());
    }

    /// <summary>Strides of a contiguous operand under the shape of the result: 0 where it repeats.</summary>
    public static void Repeated(ReadOnlySpan<int> operand, Span<int> strides)
    {
        strides.Clear();
        var step = 1;
        for (var i = operand.Length - 1; i >= 0; i--)
        {
            strides[i + strides.Length - operand.Length] = operand[i] == 1 ? 0 : step;
            step *= operand[i];
        }
    }

    // The operand is the last dimensions of the result, repeated over the first ones.
    private static bool IsRow(Shape operand, Shape result)
    {
        var axis = 1;
        while (axis <= operand.Rank && operand[-axis] == result[-axis]) axis++;
        for (; axis <= operand.Rank; axis++)
            if (operand[-axis] != 1) return false;
        return true;
    }

    // The operand is the first dimensions of the result, repeated over the last ones.
    private static bool IsColumn(Shape operand, Shape result)
    {
        if (operand.Rank != result.Rank) return false;
        var axis = 0;
        while (axis < operand.Rank && operand[axis] == result[axis]) axis++;
        for (; axis < operand.Rank; axis++)
            if (operand[axis] != 1) return false;
        return true;
    }
}
