using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// l lower with l lᵀ = (x + xᵀ) / 2, positive definite        x_..NN -> l_..NN
// dx = (s + sᵀ) / 2, s = l⁻ᵀ Φ(lᵀ dl) l⁻¹, Φ the lower part with half the diagonal (Murray 2016)
internal sealed class Cholesky : MatrixOp
{
    public override string Name => "cholesky";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireSquare(inputs[0]);
        return [inputs[0]];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes) => Require(
        Matrices.Cholesky(Matrices.Symmetric(inputs[0], shapes[0].Shape[-1]), shapes[0].Shape[-1], outputs[0]),
        "a matrix is not positive definite");

    internal override Value?[] Backward(OpGradient g)
    {
        var (l, product) = (g.Y, g.Y.Transpose().MatMul(g.Dy));
        var half = (product.Tril() + product.Tril(-1)) * 0.5;
        var back = l.Transpose();
        var s = back.Apply(OpTable.Solve, half).Transpose();
        s = back.Apply(OpTable.Solve, s).Transpose();
        return [(s + s.Transpose()) * 0.5];
    }
}
