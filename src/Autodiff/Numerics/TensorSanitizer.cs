using System.Globalization;
using System.Numerics;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Numerics;

/// <summary>Finds and replaces numbers that are not finite or out of bounds, in one pass. Integers have none.</summary>
public static class TensorSanitizer
{
    /// <summary>Counts, and changes nothing.</summary>
    public static NumericalReport Inspect(Tensor tensor, NumericPolicy policy) =>
        Look(tensor.Contiguous(), policy, false);

    /// <summary>
    /// A copy without faults and the report of what was replaced; in strict mode the first fault is a
    /// <see cref="NumericalException"/>.
    /// </summary>
    public static (Tensor Clean, NumericalReport Report) Clean(Tensor tensor, NumericPolicy policy)
    {
        var copy = tensor.Copy();
        return (copy, CleanInPlace(copy, policy, "sanitize"));
    }

    internal static NumericalReport CleanInPlace(Tensor tensor, NumericPolicy policy, string where)
    {
        var report = Look(tensor, policy, policy.Mode == NumericMode.Permissive);
        if (report.Faults > 0 && policy.Mode == NumericMode.Strict) throw Refused(where, tensor, report);
        return report;
    }

    private static NumericalException Refused(string where, Tensor tensor, NumericalReport report)
    {
        var code = report.NaN > 0 ? ErrorCode.NotANumber
            : report.PositiveInfinity + report.NegativeInfinity > 0 ? ErrorCode.Infinite : ErrorCode.Overflow;
        return new NumericalException(code, string.Create(CultureInfo.InvariantCulture,
            $"{where}: {tensor.Type}: {report}; strict mode does not repair, permissive mode does"));
    }

    private static NumericalReport Look(Tensor tensor, NumericPolicy policy, bool repair) => tensor.DType switch
    {
        DType.Float32 => Look<float>(tensor, policy, repair),
        DType.Float64 => Look<double>(tensor, policy, repair),
        _ => new NumericalReport(tensor.Count, 0, 0, 0, 0, 0, 0, 0, -1),
    };

    private static NumericalReport Look<T>(Tensor tensor, NumericPolicy policy, bool repair)
        where T : unmanaged, IFloatingPointIeee754<T>, IMinMaxValue<T>
    {
        var values = tensor.Raw<T>();
        var (low, high) = (T.CreateSaturating(policy.Low), T.CreateSaturating(policy.High));
        var forNaN = T.CreateSaturating(policy.ForNaN);
        var most = policy.ForPositiveInfinity is { } p ? T.CreateSaturating(p) : T.MaxValue;
        var least = policy.ForNegativeInfinity is { } n ? T.CreateSaturating(n) : T.MinValue;
        long nan = 0, plus = 0, minus = 0, below = 0, above = 0, subnormal = 0, first = -1;
        for (var i = 0; i < values.Length; i++)
        {
            var x = values[i];
            if (T.IsNormal(x) && x >= low && x <= high) continue;
            T better;
            if (T.IsNaN(x)) (nan, better) = (nan + 1, forNaN);
            else if (T.IsPositiveInfinity(x)) (plus, better) = (plus + 1, most);
            else if (T.IsNegativeInfinity(x)) (minus, better) = (minus + 1, least);
            else if (x < low) (below, better) = (below + 1, low);
            else if (x > high) (above, better) = (above + 1, high);
            else
            {
                if (T.IsSubnormal(x)) subnormal++;
                continue;
            }

            if (first < 0 && repair) tensor.Storage.MarkWritten();
            if (first < 0) first = i;
            if (repair) values[i] = better;
        }

        return new NumericalReport(values.Length, nan, plus, minus, below, above, subnormal, 0, first);
    }
}
