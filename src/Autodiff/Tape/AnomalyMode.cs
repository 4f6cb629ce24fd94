using System.Globalization;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>A result is not a number: where that began.</summary>
public sealed class AnomalyException(string message) : ConvoyException(ErrorCode.NotANumber, message);

/// <summary>
/// DBG-09: looks for the operator that made the first NaN, in forward and in backward passes, on this thread. Costs one
/// look at every result, so it is for finding faults, not for training.
/// </summary>
public static class AnomalyMode
{
    [ThreadStatic] private static Scope? _top;
    [ThreadStatic] private static string? _within;

    /// <summary>Whether results are looked at on this thread.</summary>
    public static bool IsOn => Current is not null;

    private static Scope? Current => _top is null ? null : ThreadScope.Innermost(ref _top);

    /// <summary>Results are looked at until the scope is disposed; the step is named in the error. Scopes nest, the
    /// innermost one's step counts.</summary>
    public static IDisposable On(long step = 0) => _top = new Scope(Current, step);

    /// <summary>Results until the end of the scope belong to the formula of this operator, or to its gradient; it is
    /// named too.</summary>
    internal static FormulaScope Within(string op, bool gradient = false)
    {
        if (!IsOn) return new FormulaScope(false, null);
        var scope = new FormulaScope(true, _within);
        _within ??= gradient ? $"the gradient of {op}" : op;
        return scope;
    }

    internal readonly struct FormulaScope(bool isOn, string? outer) : IDisposable
    {
        public void Dispose()
        {
            if (isOn) _within = outer;
        }
    }

    internal static void Check(Op op, Attributes attributes, Tensor[] inputs, Tensor[] outputs)
    {
        for (var i = 0; i < outputs.Length; i++)
            if (FirstNaN(outputs[i]) is { } at) throw Fault(op, attributes, inputs, at);
    }

    private static AnomalyException Fault(Op op, Attributes attributes, Tensor[] inputs, long at)
    {
        var text = $"{attributes}";
        var name = (text.Length == 0 ? op.Name : $"{op.Name} {text}") + (_within is null ? "" : $" in {_within}");
        var step = Current!.Step;
        for (var i = 0; i < inputs.Length; i++)
        {
            // Every result of this scope was looked at: this NaN is older, or comes from a seed or a hook.
            if (FirstNaN(inputs[i]) is { } before) return new AnomalyException(string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: element {before} of its operand {i}, {inputs[i].Type}, is NaN already in step {step}: "
                + $"it comes from the data, the weights, a seed or a hook"));
        }

        var shapes = string.Join(", ", inputs.Select(t => t.Shape));
        return new AnomalyException(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: element {at} of its result is NaN in step {step}, its operands {shapes} hold none"));
    }

    private static long? FirstNaN(Tensor tensor)
    {
        if (tensor.DType == DType.Float32) return Index(tensor.Contiguous().Values<float>().IndexOf(float.NaN));
        return tensor.DType == DType.Float64 ? Index(tensor.Contiguous().Values<double>().IndexOf(double.NaN)) : null;
    }

    private static long? Index(int at) => at < 0 ? null : at;

    private sealed class Scope(Scope? outer, long step) : ThreadScope(outer)
    {
        public long Step { get; } = step;
    }
}
