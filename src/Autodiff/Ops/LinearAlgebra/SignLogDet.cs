using Convoy.Shared.Numerics;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// sign and ln |det x| of the last two dimensions; 0 and -∞ when x is singular        x_..NN -> sign_.., log_..
// dx = d log x⁻ᵀ; the sign has no gradient
internal sealed class SignLogDet : MatrixOp
{
    public override string Name => "sign-log-det";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireSquare(inputs[0]);
        var lead = inputs[0].With(inputs[0].Dims.AsSpan()[..^2]);
        return [lead, lead];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes)
    {
        var n = shapes[0].Shape[-1];
        var lu = (double[])inputs[0].Clone();
        double sign = Matrices.Lu(lu, n, new int[n]);
        var log = 0.0;
        for (var i = 0; i < n; i++)
        {
            sign *= Math.Sign(lu[(i * n) + i]);
            log += PortableMath.Log(Math.Abs(lu[(i * n) + i]));
        }

        (outputs[0][0], outputs[1][0]) = (sign, log);
    }

    internal override Value?[] Backward(OpGradient g) => g.DyOf(1) is not { } dy ? [null]
        : [g.X.Apply(OpTable.Inverse).Transpose() * dy.Unsqueeze(-1).Unsqueeze(-1)];
}
