using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// HO-03: second derivatives do not mind their order, but rounding does; a solver that needs a symmetric matrix gets
/// one here.
/// </summary>
public static class Symmetry
{
    /// <summary>(H + Hᵀ) / 2 of a Hessian, and the largest |h_ij - h_ji| it had.</summary>
    /// <param name="hessian">Of shape [x's shape, x's shape].</param>
    public static (Tensor Hessian, double Asymmetry) Enforce(Tensor hessian)
    {
        var half = hessian.Rank / 2;
        if (hessian.Rank % 2 != 0 || !hessian.Shape.Dims[..half].SequenceEqual(hessian.Shape.Dims[half..]))
            throw new ShapeException($"a Hessian has the shape of x twice, not {hessian.Shape}");
        var h = hessian.Cast(DType.Float64).ToArray<double>();
        var n = (int)Math.Sqrt(h.Length);
        var asymmetry = 0.0;
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var (a, b) = (h[(i * n) + j], h[(j * n) + i]);
                asymmetry = Math.Max(asymmetry, Math.Abs(a - b));
                h[(i * n) + j] = h[(j * n) + i] = (a + b) / 2;
            }
        }

        return (Tensor.Of<double>(h, hessian.Shape).Cast(hessian.DType), asymmetry);
    }
}
