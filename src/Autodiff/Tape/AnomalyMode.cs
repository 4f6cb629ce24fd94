using System.Globalization;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>A result is not a number, and no operand was.</summary>
public sealed class AnomalyException(string message) : ConvoyException(ErrorCode.NotANumber, message);

/// <summary>
/// DBG-09: looks for the operator that made the first NaN, in forward and in backward passes, on this thread. Costs one
/// look at every result, so it is for finding faults, not for training.
/// </summary>
public static class AnomalyMode
{
    [ThreadStatic] private static int _depth;
    [ThreadStatic] private static long _step;
    [ThreadStatic] private static string? _within;

    /// <summary>Whether results are looked at on this thread.</summary>
    public static bool IsOn => _depth > 0;

    /// <summary>Results are looked at until the scope is disposed; the step is named in the error.</summary>
    public static IDisposable On(long step = 0)
    {
        _depth++;
        _step = step;
        return new ScopeEnd(static () => _depth--);
    }

    /// <summary>Results until the end of the scope belong to the formula of this operator; it is named too.</summary>
    internal static FormulaScope Within(string op)
    {
        if (!IsOn) return new FormulaScope(false, null);
        var scope = new FormulaScope(true, _within);
        _within ??= op;
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
        {
            if (FirstNaN(outputs[i]) is not { } at || inputs.Any(t => FirstNaN(t) is not null)) continue;
            var name = _within is null ? op.Name : $"{op.Name} in {_within}";
            var shapes = string.Join(", ", inputs.Select(t => t.Shape));
            throw new AnomalyException(string.Create(
                CultureInfo.InvariantCulture,
                $"{name} {attributes}: element {at} of its result is NaN in step {_step}, its operands {shapes} hold none"));
        }
    }

    private static long? FirstNaN(Tensor tensor)
    {
        if (tensor.DType == DType.Float32) return Index(tensor.Contiguous().Values<float>().IndexOf(float.NaN));
        return tensor.DType == DType.Float64 ? Index(tensor.Contiguous().Values<double>().IndexOf(double.NaN)) : null;
    }

    private static long? Index(int at) => at < 0 ? null : at;
}
