using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// x with a x = b        a_..NN, b_..NK -> x_..NK, or b_..N -> x_..N; equal leading dimensions
// db = a⁻ᵀ dx     da = -db xᵀ
internal sealed class Solve : MatrixOp
{
    public override string Name => "solve";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs);
        var (a, b) = (inputs[0], inputs[1]);
        RequireSquare(a);
        var isVector = b.Rank == a.Rank - 1;
        if (!isVector) RequireMatrix(b);
        Require(
            b.Dims.AsSpan()[..(isVector ? b.Rank : b.Rank - 1)].SequenceEqual(a.Dims.AsSpan()[..^1]),
            $"{b.Text} are not right sides for {a.Text}");
        return [b];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes) =>
        Require(
            Matrices.Solve(
                inputs[0], shapes[0].Shape[-1], inputs[1], shapes[1].Rank < shapes[0].Rank ? 1 : shapes[1].Shape[-1],
                outputs[0]),
                "a matrix is singular");

    internal override Value?[] Backward(OpGradient g)
    {
        var right = g.X.Transpose().Apply(this, g.Dy);
        if (!g.Needs(0)) return [null, right];
        var isVector = g.Y.Type.Rank < g.X.Type.Rank;
        return [isVector ? -(right.Unsqueeze(-1) * g.Y.Unsqueeze(-2)) : -right.MatMul(g.Y, tb: true), right];
    }
}
