using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x⁻¹ of the last two dimensions        x_..NN -> y_..NN
// dx = -yᵀ dy yᵀ
internal sealed class Inverse : MatrixOp
{
    public override string Name => "inverse";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireSquare(inputs[0]);
        return [inputs[0]];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes)
    {
        var n = shapes[0].Shape[-1];
        var unit = new double[n * n];
        for (var i = 0; i < n; i++) unit[(i * n) + i] = 1;
        Require(Matrices.Solve(inputs[0], n, unit, n, outputs[0]), "a matrix is singular");
    }

    internal override Value?[] Backward(OpGradient g) => [-g.Y.Transpose().MatMul(g.Dy).MatMul(g.Y, tb: true)];
}
