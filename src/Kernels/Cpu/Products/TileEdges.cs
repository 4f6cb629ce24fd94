using System.Runtime.CompilerServices;

namespace Convoy.Kernels.Cpu.Products;

/// <summary>What happens to a tile after its sums: partial tiles, bias and activation.</summary>
internal static unsafe class TileEdges
{
    /// <summary>Copies (or adds) the valid part of a buffered tile, whose rows are `width` floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Write<V>(float* tile, int width, float* c, nint ldc, int rows, int columns, bool add)
        where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < rows; r++, tile += width, c += ldc)
        {
            var j = 0;
            if (add)
            {
                for (; j <= columns - V.Count; j += V.Count) V.Store(V.Load(c + j) + V.Load(tile + j), c + j);
                for (; j < columns; j++) c[j] += tile[j];
            }
            else
            {
                for (; j <= columns - V.Count; j += V.Count) V.Store(V.Load(tile + j), c + j);
                for (; j < columns; j++) c[j] = tile[j];
            }
        }
    }

    /// <summary>c = activation(c + bias[column]) over a block; bias may be null.</summary>
    public static void Finish<V>(float* c, nint ldc, int rows, int columns, float* bias, Activation activation)
        where V : unmanaged, ILanes<V>
    {
        if (bias is null && activation == Activation.None) return;
        for (var r = 0; r < rows; r++, c += ldc)
        {
            if (bias is not null) FloatElementwise.Binary<V, Operators.Add>(c, bias, c, columns);
            Activate<V>(c, columns, activation);
        }
    }

    public static void Activate<V>(float* c, int count, Activation activation) where V : unmanaged, ILanes<V>
    {
        switch (activation)
        {
            case Activation.None: break;
            case Activation.Relu: FloatElementwise.Unary<V, Operators.Relu>(c, c, count); break;
            case Activation.Gelu: FloatElementwise.Unary<V, Operators.Gelu>(c, c, count); break;
            case Activation.Tanh: FloatElementwise.Unary<V, Operators.Tanh>(c, c, count); break;
            case Activation.Sigmoid: FloatElementwise.Unary<V, Operators.Sigmoid>(c, c, count); break;
            default: throw Convoy.Shared.Invariant.Unhandled(activation);
        }
    }
}
