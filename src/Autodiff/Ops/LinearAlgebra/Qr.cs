using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// x = q r, q with orthonormal columns, r upper with a positive diagonal        x_..MN, M ≥ N -> q_..MN, r_..NN
// dx = (dq + q sym) r⁻ᵀ, sym = the lower part of r drᵀ - dqᵀ q, mirrored (Walter and Lehmann 2012)
internal sealed class Qr : MatrixOp
{
    public override string Name => "qr";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireMatrix(inputs[0]);
        var (m, n) = (inputs[0][-2], inputs[0][-1]);
        Require(m.Size >= n.Size, $"takes matrices with as many rows as columns or more, not {inputs[0].Text}");
        return [inputs[0], inputs[0].With([.. inputs[0].Dims.AsSpan()[..^2], n, n])];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes) => Require(
        Matrices.Qr(inputs[0], shapes[0].Shape[-2], shapes[0].Shape[-1], outputs[0], outputs[1]),
        "the columns of a matrix depend on each other");

    internal override Value?[] Backward(OpGradient g)
    {
        var (q, r) = (g.Outputs[0], g.Outputs[1]);
        Value? m = null;
        if (g.DyOf(1) is { } dr) m = r.MatMul(dr, tb: true);
        if (g.DyOf(0) is { } dq) m = m is null ? -dq.Transpose().MatMul(q) : m - dq.Transpose().MatMul(q);
        var mirrored = m!.Tril() + m!.Tril(-1).Transpose();
        var left = q.MatMul(mirrored);
        if (g.DyOf(0) is { } dq2) left += dq2;
        // z r⁻ᵀ = (r⁻¹ zᵀ)ᵀ
        return [r.Apply(OpTable.Solve, left.Transpose()).Transpose()];
    }
}
