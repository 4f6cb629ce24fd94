using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = det x of the last two dimensions        x_..NN -> y_..
// dx = dy cofactor x, also where x is singular
internal sealed class Determinant : MatrixOp
{
    public override string Name => "determinant";
    public override string Sharding => "b... !n !n -> b...";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireSquare(inputs[0]);
        return [inputs[0].With(inputs[0].Dims.AsSpan()[..^2])];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes) =>
        outputs[0][0] = Matrices.Determinant(inputs[0], shapes[0].Shape[-1]);

    internal override Value?[] Backward(OpGradient g) =>
        [g.X.Apply(OpTable.Cofactor) * g.Dy.Unsqueeze(-1).Unsqueeze(-1)];
}
