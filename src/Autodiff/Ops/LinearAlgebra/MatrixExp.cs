using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = Σ xᵏ / k! of the last two dimensions        x_..NN -> y_..NN
// dx = the upper right block of exp [[xᵀ, dy], [0, xᵀ]] (Mathias 1996)
internal sealed class MatrixExp : MatrixOp
{
    public override string Name => "matrix-exp";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireSquare(inputs[0]);
        return [inputs[0]];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes) =>
        Matrices.Exp(inputs[0], shapes[0].Shape[-1], outputs[0]);

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
