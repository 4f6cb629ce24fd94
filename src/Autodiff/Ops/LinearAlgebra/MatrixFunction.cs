using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// A function f of square matrices that has a power series. Its gradient is f itself: dx is the upper right block of
/// f [[xᵀ, dy], [0, xᵀ]] (Mathias 1996).
/// </summary>
internal abstract class MatrixFunction : MatrixOp
{
    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireSquare(inputs[0]);
        return [inputs[0]];
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var n = g.X.Type[-1].Size;
        var turned = g.X.Transpose();
        var zero = g.Builder.Full(0, turned.Type);
        var block = Functions.Concat(
            -2, Functions.Concat(-1, turned, g.Dy), Functions.Concat(-1, zero, turned));
        return [block.Apply(this).Slice(-1, n, n).Slice(-2, 0, n)];
    }
}
