using System.Globalization;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking;

/// <summary>What gradients have to be, beside the shape and the element type of their values.</summary>
/// <param name="SizeMax">The largest |g_i|; infinity does not ask.</param>
/// <param name="NormMax">The largest norm of one gradient; infinity does not ask.</param>
/// <param name="Finite">No NaN and no infinity.</param>
/// <param name="Required">Every value that asks for a gradient has one.</param>
public sealed record GradientLimits(
    double SizeMax = double.PositiveInfinity, double NormMax = double.PositiveInfinity, bool Finite = true,
    bool Required = true);

/// <summary>The rule of a gradient that was broken.</summary>
public enum GradientRule
{
    /// <summary>A value that asks for a gradient has none.</summary>
    Missing,
    /// <summary>It has another shape than its value.</summary>
    Shape,
    /// <summary>It has another element type than its value.</summary>
    ElementType,
    /// <summary>It holds NaN or an infinity.</summary>
    Finite,
    /// <summary>An element is larger than <see cref="GradientLimits.SizeMax"/>.</summary>
    Size,
    /// <summary>Its norm is larger than <see cref="GradientLimits.NormMax"/>.</summary>
    Norm,
}

/// <summary>One broken rule, in one line: whose gradient, where, what it is, what the rule says, what to do.</summary>
public sealed record GradientFault(string Name, GradientRule Rule, string Text)
{
    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>GV-07: looks at gradients while a training runs. Costs one pass over each gradient.</summary>
public sealed class GradientValidator(GradientLimits? limits = null)
{
    private readonly GradientLimits _limits = limits ?? new GradientLimits();

    /// <summary>
    /// What is wrong with the gradients that values have after backward; empty when nothing is. At most one line for
    /// each rule and value.
    /// </summary>
    public IReadOnlyList<GradientFault> Check(IEnumerable<(string Name, Variable Value)> values)
    {
        var faults = new List<GradientFault>();
        foreach (var (name, value) in values)
        {
            if (value.Gradient is { } gradient) Check(name, value.Data, gradient, faults);
            else if (_limits.Required && value.RequiresGradient)
                faults.Add(new GradientFault(name, GradientRule.Missing,
                    $"{name}: has no gradient after backward; the loss does not depend on it, or it was cleared"));
        }

        return faults;
    }

    /// <summary>
    /// Looks at the gradient of a value each time it arrives, before it goes on, and ends backward at the first fault.
    /// </summary>
    /// <exception cref="GradientException">From the backward call, with the line of the fault.</exception>
    public void Watch(string name, Variable value) => value.OnGradient(gradient =>
    {
        var faults = new List<GradientFault>();
        Check(name, value.Data, gradient.Data, faults);
        return faults.Count == 0 ? gradient : throw new GradientException(faults[0].Text);
    });

    private void Check(string name, Tensor value, Tensor gradient, List<GradientFault> faults)
    {
        void Fault(GradientRule rule, FormattableString text) =>
            faults.Add(new GradientFault(name, rule, text.ToString(CultureInfo.InvariantCulture)));

        if (gradient.DType != value.DType)
            Fault(GradientRule.ElementType,
                $"{name}: its gradient is {gradient.Type}, the value is {value.Type}; cast one of them");
        if (gradient.Shape != value.Shape)
            Fault(GradientRule.Shape,
                $"{name}: its gradient is {gradient.Shape}, the value is {value.Shape}; sum over what was repeated");
        if (gradient.DType is not (DType.Float32 or DType.Float64)) return;

        var numbers = gradient.Cast(DType.Float64).ToArray<double>();
        var (broken, largest, sum) = (-1, 0, 0.0);
        for (var i = 0; i < numbers.Length; i++)
        {
            if (!double.IsFinite(numbers[i]) && broken < 0) broken = i;
            if (Math.Abs(numbers[i]) > Math.Abs(numbers[largest])) largest = i;
            sum += numbers[i] * numbers[i];
        }

        if (broken >= 0)
        {
            // Size and norm of what is no number say nothing more.
            if (_limits.Finite)
                Fault(GradientRule.Finite,
                    $"{name}: element {Place(gradient, broken)} of its gradient is {numbers[broken]}; anomaly mode names the operator");
            return;
        }

        if (numbers.Length > 0 && Math.Abs(numbers[largest]) > _limits.SizeMax)
            Fault(GradientRule.Size,
                $"{name}: element {Place(gradient, largest)} of its gradient is {numbers[largest]:g6}, at most {_limits.SizeMax:g6} is allowed; clip by value or lower the rate");
        if (Math.Sqrt(sum) > _limits.NormMax)
            Fault(GradientRule.Norm,
                $"{name}: the norm of its gradient is {Math.Sqrt(sum):g6}, at most {_limits.NormMax:g6} is allowed; clip by norm or lower the rate");
    }

    private static string Place(Tensor tensor, int element)
    {
        var place = new int[tensor.Rank];
        for (var d = tensor.Rank - 1; d >= 0; element /= tensor.Shape[d], d--) place[d] = element % tensor.Shape[d];
        return $"[{string.Join(", ", place)}]";
    }
}
