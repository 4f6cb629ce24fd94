using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// x = u diag(s) vᵀ, s descending, K = min(M, N), the largest element of each column of v (of u when M < N) positive
// x_..MN -> u_..MK, s_..K, v_..NK dx = u (F ∘ (uᵀdu - duᵀu) s + s F ∘ (vᵀdv - dvᵀv) + diag ds) vᵀ + (1 - uuᵀ) du s⁻¹ vᵀ
// + u s⁻¹ dvᵀ (1 - vvᵀ),
// F_ij = 1 / (s_j² - s_i²) off the diagonal (Townsend 2016)
internal sealed class Svd : MatrixOp
{
    public override string Name => "svd";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireMatrix(inputs[0]);
        var x = inputs[0];
        var lead = inputs[0].Dims.AsSpan()[..^2];
        var k = x[-2].Size < x[-1].Size ? x[-2] : x[-1];
        return [x.With([.. lead, x[-2], k]), x.With([.. lead, k]), x.With([.. lead, x[-1], k])];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes)
    {
        var (m, n) = (shapes[0].Shape[-2], shapes[0].Shape[-1]);
        if (m >= n)
        {
            Matrices.Svd(inputs[0], m, n, outputs[0], outputs[1], outputs[2]);
            return;
        }

        var turned = new double[n * m];
        for (var i = 0; i < m; i++)
            for (var j = 0; j < n; j++) turned[(j * m) + i] = inputs[0][(i * n) + j];
        Matrices.Svd(turned, n, m, outputs[2], outputs[1], outputs[0]);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (u, s, v) = (g.Outputs[0], g.Outputs[1], g.Outputs[2]);
        var (row, column) = (s.Unsqueeze(-2), s.Unsqueeze(-1));
        Value? inner = g.DyOf(1) is { } ds ? ds.DiagonalMatrix() : null;
        Value? outer = null;
        if (g.DyOf(0) is { } du)
        {
            var turned = u.Transpose().MatMul(du);
            inner = Sum(inner, Gaps.Inverse(s.Square()) * (turned - turned.Transpose()) * row);
            outer = Sum(outer, ((du - u.MatMul(turned)) / row).MatMul(v, tb: true));
        }

        if (g.DyOf(2) is { } dv)
        {
            var turned = v.Transpose().MatMul(dv);
            inner = Sum(inner, Gaps.Inverse(s.Square()) * (turned - turned.Transpose()) * column);
            outer = Sum(outer, (u / row).MatMul(dv - v.MatMul(turned), tb: true));
        }

        return [inner is null ? outer : Sum(outer, u.MatMul(inner).MatMul(v, tb: true))];
    }

    private static Value Sum(Value? a, Value b) => a is null ? b : a + b;
}
