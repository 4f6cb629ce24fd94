using System.Globalization;
using Convoy.Autodiff.Numerics;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// Division, logarithm and square root that stay finite next to zero, written in operators, so they have derivatives
/// and run in graphs. An operand closer to zero than the policy's smallest number is replaced by it, and no gradient
/// flows through the replaced element. In strict mode such an eager operand is refused instead; eager operands are
/// counted.
/// </summary>
public sealed class Guarded(NumericPolicy policy)
{
    /// <summary>Eager elements that were guarded so far.</summary>
    public long Replaced { get; private set; }

    /// <summary>What the last eager call found.</summary>
    public NumericalReport Report { get; private set; } = new(0, 0, 0, 0, 0, 0, 0, 0, -1);

    /// <summary>x / y with |y| kept away from zero; the sign of y is kept, and that of +0 is positive.</summary>
    public Value Divide(Value x, Value y)
    {
        var size = y.Abs();
        Look("division", size, ErrorCode.DivideByZero);
        var signed = y.Less(y.Constant(0)).Where(y.Constant(-policy.Smallest), y.Constant(policy.Smallest));
        return x / size.Less(y.Constant(policy.Smallest)).Where(signed, y);
    }

    /// <summary>ln x, and ln of the smallest number below it.</summary>
    public Value Log(Value x)
    {
        Look("logarithm", x, ErrorCode.NotANumber);
        return x.Less(x.Constant(policy.Smallest)).Where(x.Constant(policy.Smallest), x).Log();
    }

    /// <summary>√x, and 0 below the smallest number, with slope 0 there instead of infinity.</summary>
    public Value Sqrt(Value x)
    {
        Look("square root", x, ErrorCode.NotANumber);
        var near = x.Less(x.Constant(policy.Smallest));
        return near.Where(x.Constant(0), near.Where(x.Constant(1), x).Sqrt());
    }

    private void Look(string what, Value operand, ErrorCode code)
    {
        if (operand is not Variable { Data: var data }) return;
        long near = 0, first = -1;
        var values = data.DType == DType.Float64 ? data.ToArray<double>() : data.Cast(DType.Float64).ToArray<double>();
        for (var i = 0; i < values.Length; i++)
        {
            if (!(values[i] < policy.Smallest)) continue;
            near++;
            if (first < 0) first = i;
        }

        if (near > 0 && policy.Mode == NumericMode.Strict)
        {
            throw new NumericalException(code, string.Create(CultureInfo.InvariantCulture,
                $"guarded {what}: element {first} of {data.Type} is {values[first]:r}, less than {policy.Smallest:r}; permissive mode replaces it"));
        }

        Replaced += near;
        Report = new NumericalReport(values.Length, 0, 0, 0, 0, 0, 0, near, first);
    }
}
