using Convoy.Autodiff.Ops;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Checking;

/// <summary>
/// What is known about a failure: its code and nature, the operators that were at work (innermost first), the most
/// likely cause, what it means for the run, and what to do.
/// </summary>
public sealed record FailureDiagnosis(
    ErrorCode Code, FailureNature Nature, IReadOnlyList<string> Operators, string Message, string Cause, string Impact,
    string Remedy)
{
    // Recognized by code and by the operator where it arose; the first row that fits counts, so special ones stand
    // first.
    private static readonly (ErrorCode Code, string[] Ops, string Cause, string Remedy)[] Patterns =
    [
        (ErrorCode.NotANumber, ["log", "log2", "log1p", "logdet"], "a logarithm of a number that is not positive",
            "use Guarded.Log, log-softmax or logsumexp in place of a logarithm of small numbers"),
        (ErrorCode.NotANumber, ["sqrt", "rsqrt", "norm", "std"], "a root of a negative number, or its slope at 0",
            "use Guarded.Sqrt, or add a small number under the root"),
        (ErrorCode.NotANumber, ["divide", "reciprocal"], "0 / 0",
            "use Guarded.Divide, or mask the rows without weight"),
        (ErrorCode.NotANumber, ["subtract", "softmax", "exp"], "infinity minus infinity after an overflow",
            "lower the learning rate, clip gradients, or use log-softmax"),
        (ErrorCode.NotANumber, [], "a number that is not one reached this operator's result first",
            "run with AnomalyMode or NumericGuard to see its operands"),
        (ErrorCode.Infinite, ["exp", "sinh", "cosh", "pow", "square", "multiply"], "an overflow of growing activations",
            "lower the learning rate, clip gradients, or normalize the layer before it"),
        (ErrorCode.Infinite, [], "a number above what its type can hold", "clip it, or compute in float64"),
        (ErrorCode.Overflow, [], "a number above what its type can hold", "clip it, or take a wider type"),
        (ErrorCode.DivideByZero, [], "a divisor of 0 or next to it", "use Guarded.Divide in permissive mode"),
        (ErrorCode.ShapeMismatch, ["matmul", "linear", "einsum"], "operands whose inner sizes differ",
            "look whether one of them is transposed: weights of linear are [out, in]"),
        (ErrorCode.ShapeMismatch, [], "operands that do not fit the operator's rule",
            "print their shapes where they are made"),
        (ErrorCode.EinsumSpec, [], "a contraction text that does not fit its operands",
            "read the character that the message names"),
        (ErrorCode.ElementType, [], "an element type that the operator does not take", "cast to float32 or float64"),
        (ErrorCode.Gradient, [], "a history that was used up or written over",
            "retain it in the first backward call, and do not write into tensors that were recorded"),
        (ErrorCode.OutOfMemory, [], "more live memory than the machine has",
            "raise micro_batches, or recompute activations"),
        (ErrorCode.DeviceAllocation, [], "a tensor larger than the device gives",
            "raise micro_batches, or split the tensor"),
        (ErrorCode.Unsupported, [], "something that this operator or transform does not do",
            "name a rule in OperatorFallback, or write it in other operators"),
    ];

    /// <summary>What an exception means: code, nature, operators, cause and remedy; the patterns are tried in their
    /// order.</summary>
    public static FailureDiagnosis Of(Exception failure)
    {
        var verdict = FailureClass.Of(failure);
        var operators = OperatorStack.Of(failure);
        var innermost = NameOf(operators.Count > 0 ? operators[0] : verdict.Root.Message);
        var (cause, remedy) = Recognize(verdict.Code, innermost);
        return new FailureDiagnosis(
            verdict.Code, verdict.Nature, operators, verdict.Root.Message, cause, ImpactOf(verdict.Nature), remedy);
    }

    /// <summary>As one line among others.</summary>
    public Diagnostic ToDiagnostic() => new(
        Severity.Error, Code, Operators.Count > 0 ? string.Join(" in ", Operators) : "the run",
        $"{Message} ({Cause})", Remedy);

    private static (string Cause, string Remedy) Recognize(ErrorCode code, string op)
    {
        foreach (var pattern in Patterns)
        {
            if (pattern.Code == code && (pattern.Ops.Length == 0 || pattern.Ops.Contains(op)))
                return (pattern.Cause, pattern.Remedy);
        }

        return ("no pattern is known for it", "report it with this text");
    }

    private static string ImpactOf(FailureNature nature) => nature switch
    {
        FailureNature.Transient => "the same work may succeed when it is done again",
        FailureNature.Wanted => "none: it was asked for",
        FailureNature.UserError => "nothing runs until the input is changed",
        FailureNature.Permanent => "the same work fails again until the model, the data or the settings change",
        _ => "what was running is lost; state that was applied before it is whole",
    };

    // "gradient of log", "log([2, 3])" and "log: ..." are all about log.
    private static string NameOf(string frame)
    {
        const string Backward = "gradient of ";
        if (frame.StartsWith(Backward, StringComparison.Ordinal)) frame = frame[Backward.Length..];
        var end = frame.AsSpan().IndexOfAny("(: ");
        return end < 0 ? frame : frame[..end];
    }
}
