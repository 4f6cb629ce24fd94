using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// (x + xᵀ) / 2 = v diag(w) vᵀ, w ascending, columns of v orthonormal, the largest element of each positive
// x_..NN -> w_..N, v_..NN        dx = sym(v (diag(dw) + F ∘ vᵀ dv) vᵀ), F_ij = 1 / (w_j - w_i) off the diagonal
// (Giles 2008)
internal sealed class Eigh : MatrixOp
{
    public override string Name => "eigh";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireSquare(inputs[0]);
        return [inputs[0].With(inputs[0].Dims.AsSpan()[..^1]), inputs[0]];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes)
    {
        var n = shapes[0].Shape[-1];
        Matrices.Eigen(Matrices.Symmetric(inputs[0], n), n, outputs[0], outputs[1]);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (w, v) = (g.Outputs[0], g.Outputs[1]);
        Value? inner = g.DyOf(0) is { } dw ? dw.DiagonalMatrix() : null;
        if (g.DyOf(1) is { } dv)
        {
            var turned = Gaps.Inverse(w) * v.Transpose().MatMul(dv);
            inner = inner is null ? turned : inner + turned;
        }

        var dx = v.MatMul(inner!).MatMul(v, tb: true);
        return [(dx + dx.Transpose()) * 0.5];
    }
}

/// <summary>
/// 1 / (w_j - w_i) off the diagonal, 0 on it and where two are equal: there the vectors have no derivative.
/// </summary>
internal static class Gaps
{
    public static Value Inverse(Value w)
    {
        var gap = w.Unsqueeze(-2) - w.Unsqueeze(-1);
        var differ = gap.NotEqual(gap.Constant(0));
        return differ.Where(1 / differ.Where(gap, gap.Constant(1)), gap.Constant(0));
    }
}
