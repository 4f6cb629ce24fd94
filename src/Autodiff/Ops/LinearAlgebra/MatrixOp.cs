using System.Numerics;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// An operator on the last two dimensions of each input; leading dimensions are matrices of their own.
/// </summary>
internal abstract class MatrixOp : FloatOp
{
    public override string Sharding => "b... !m !n -> b... m n";

    internal override Value[]? Batched(OpBatch b) => b.Leading();

    /// <summary>One matrix of each input to one of each result, all row-major in float64.</summary>
    private protected abstract void One(double[][] inputs, double[][] outputs, Tensor[] shapes);

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var first = call.Inputs[0];
        var (rows, columns) = (first.Shape[-2], first.Shape[-1]);
        var count = 1;
        foreach (var size in first.Shape.Dims[..^2]) count *= size;
        var inputs = call.Inputs.Select(t => new double[t.Count / count]).ToArray();
        var outputs = call.Outputs.Select(t => new double[t.Count / count]).ToArray();
        for (var b = 0; b < count; b++)
        {
            for (var i = 0; i < inputs.Length; i++) Read(call.In<T>(i).Slice(b * inputs[i].Length, inputs[i].Length),
                inputs[i]);
            One(inputs, outputs, call.Inputs);
            for (var i = 0; i < outputs.Length; i++) Write(outputs[i],
                call.Out<T>(i).Slice(b * outputs[i].Length, outputs[i].Length));
        }
    }

    private protected void RequireSquare(TensorType x)
    {
        Require(x.Rank >= 2 && x[-1] == x[-2] && !x[-1].PerSample, $"takes square matrices, not {x.Text}");
    }

    private protected void RequireMatrix(TensorType x)
    {
        Require(x.Rank >= 2 && !x[-1].PerSample && !x[-2].PerSample, $"takes matrices, not {x.Text}");
    }

    private static void Read<T>(ReadOnlySpan<T> from, double[] to) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < to.Length; i++) to[i] = double.CreateTruncating(from[i]);
    }

    private static void Write<T>(double[] from, Span<T> to) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < from.Length; i++) to[i] = T.CreateTruncating(from[i]);
    }
}
