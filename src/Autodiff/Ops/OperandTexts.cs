using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// An error of shapes as its reader needs it: the operator that was called, the rule that is broken, and the operands
/// with their shapes, once. Rules are written where they are checked, which may be deep inside a formula.
/// </summary>
internal static class OperandTexts
{
    private const string Mark = " (operands ";

    /// <summary>The message does not begin with the operator, or does not show all operands.</summary>
    public static bool Lack(ShapeException rule, Op op, ReadOnlySpan<Value> inputs)
    {
        if (!Names(rule.Message, op)) return true;
        if (rule.Message.Contains(Mark, StringComparison.Ordinal)) return false;
        foreach (var input in inputs)
            if (!rule.Message.Contains(input.Type.Text, StringComparison.Ordinal)) return true;
        return false;
    }

    /// <summary>The same error with the name of the operator and its operands, in place of those of a part of
    /// it.</summary>
    public static ShapeException Added(ShapeException rule, Op op, ReadOnlySpan<Value> inputs)
    {
        var text = rule.Message;
        if (text.LastIndexOf(Mark, StringComparison.Ordinal) is > 0 and var at) text = text[..at];
        if (!Names(text, op)) text = $"{op.Name}: {text}";
        if (inputs.Length > 0) text += $"{Mark}{op.Shown(inputs)})";
        return OperatorStack.Carry(rule, new ShapeException(text, rule.ErrorCode));
    }

    // A part of it may have a name that begins alike: gru and gru-cell.
    private static bool Names(string message, Op op) =>
        message.StartsWith(op.Name, StringComparison.Ordinal) && message.Length > op.Name.Length
        && message[op.Name.Length] is ':' or ' ';
}
