using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y_ij = (-1)^(i+j) det of x without row i and column j, of the last two dimensions        x_..NN -> y_..NN
// dx is a sum of minors of order N - 2: for N up to 8 by a recursion of products and traces, no division, so x may
// be singular (Faddeev and LeVerrier); beyond it (<y, dy> - y dyᵀ) x⁻ᵀ of a regular x, with the errors of inverse
internal sealed class Cofactor : MatrixOp
{
    private const int RecursionMax = 8;

    public override string Name => "cofactor";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        RequireSquare(inputs[0]);
        return [inputs[0]];
    }

    private protected override void One(double[][] inputs, double[][] outputs, Tensor[] shapes) =>
        Matrices.Cofactors(inputs[0], shapes[0].Shape[-1], outputs[0]);

    internal override Value?[] Backward(OpGradient g)
    {
        if (g.X.Type[-1].Size <= RecursionMax) return LocalTape.Gradients(g, [0], x => Recursion(x[0]));
        var (y, inverse) = (g.Y, g.X.Apply(OpTable.Inverse));
        var along = (y * g.Dy).Sum([-2, -1], keep: true);
        return [(along * inverse.Transpose()) - y.MatMul(g.Dy, tb: true).MatMul(inverse, ta: false, tb: true)];
    }

    // M_1 = 1, M_k = x M_k-1 - (tr x M_k-1 / (k - 1)) 1; the adjugate is (-1)^(N-1) M_N.
    private static Value Recursion(Value x)
    {
        var n = x.Type[-1].Size;
        var unit = x.Builder.Apply(OpTable.Eye, Attributes.Of("size", n, "dtype", x.Type.DType), [])[0];
        var m = (x * 0) + unit;
        for (var k = 2; k <= n; k++)
        {
            var product = x.MatMul(m);
            var trace = (product * unit).Sum([-2, -1], keep: true);
            m = product - (unit * trace * (1.0 / (k - 1)));
        }

        return (n % 2 == 0 ? -m : m).Transpose();
    }
}
