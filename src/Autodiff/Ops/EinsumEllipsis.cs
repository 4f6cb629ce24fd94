using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Writes "..." of a contraction as letters, one for each dimension that has none of its own, the same from the
/// right in every operand; a dimension of size 1 there is repeated, so the operand loses it.
/// </summary>
internal static class EinsumEllipsis
{
    private const string Dots = "...";

    public static (string Spec, Value[] Operands) Written(string spec, ReadOnlySpan<Value> operands)
    {
        var values = operands.ToArray();
        if (!spec.Contains('.', StringComparison.Ordinal)) return (spec, values);
        var arrow = spec.IndexOf("->", StringComparison.Ordinal);
        var left =
            (arrow < 0 ? spec : spec[..arrow]).Split(',').Select(o =>
                o.Replace(" ", "", StringComparison.Ordinal)).ToArray();
        CheckDots(spec);
        if (left.Length != values.Length)
            throw new ShapeException($"einsum \"{spec}\": names {left.Length} operands, {values.Length} are given",
                ErrorCode.EinsumSpec);
        var free = new string([.. "ZYXWVUTSRQPONMLKJIHGFEDCBA".Where(c => !spec.Contains(c))]);
        var counts = left.Select((o, i) => Count(spec, o, values[i].Type)).ToArray();
        var most = counts.Max();
        if (most > free.Length)
            throw new ShapeException($"einsum \"{spec}\": too few letters are left for \"...\"", ErrorCode.EinsumSpec);
        var all = free[..most];
        var (written, given) = (left.ToArray(), values.ToArray());
        for (var i = 0; i < left.Length; i++)
        {
            if (!left[i].Contains(Dots, StringComparison.Ordinal)) continue;
            var mine = all[(most - counts[i])..];
            (left[i], values[i]) = WithoutOnes(left[i], mine, given, written, i);
        }

        var result = arrow >= 0 ? spec[(arrow + 2)..].Trim().Replace(Dots, all, StringComparison.Ordinal) : all
            + Once(left, all);
        return ($"{string.Join(",", left)}->{result}", values);
    }

    private static void CheckDots(string spec)
    {
        for (var at = 0; at < spec.Length; at++)
        {
            if (spec[at] != '.') continue;
            if (at + 2 >= spec.Length || spec[at + 1] != '.' || spec[at + 2] != '.')
                throw new ShapeException($"einsum \"{spec}\": character {at + 1} '.' is not part of \"...\"",
                    ErrorCode.EinsumSpec);
            at += 2;
        }
    }

    private static int Count(string spec, string operand, TensorType type)
    {
        if (!operand.Contains(Dots, StringComparison.Ordinal)) return 0;
        var named = operand.Count(char.IsAsciiLetter);
        return named <= type.Rank ? type.Rank - named
            : throw new ShapeException(
                $"einsum \"{spec}\": operand \"{operand}\" names {named} dimensions, its shape is {type.Text}",
                ErrorCode.EinsumSpec);
    }

    private static (string Letters, Value Value) WithoutOnes(
        string operand, string mine, Value[] values, string[] operands, int index)
    {
        var from = operand[..operand.IndexOf(Dots, StringComparison.Ordinal)].Count(char.IsAsciiLetter);
        var (letters, value) = (mine, values[index]);
        for (var k = mine.Length - 1; k >= 0; k--)
        {
            var fromRight = mine.Length - 1 - k;
            if (value.Type[from + k] != 1 || !IsWider(values, operands, index, fromRight)) continue;
            value = value.Squeeze(from + k);
            letters = letters.Remove(k, 1);
        }

        return (operand.Replace(Dots, letters, StringComparison.Ordinal), value);
    }

    // Another operand has more than one element where this one has one.
    private static bool IsWider(Value[] values, string[] operands, int index, int fromRight)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var dots = operands[i].IndexOf(Dots, StringComparison.Ordinal);
            if (i == index || dots < 0) continue;
            var count = values[i].Type.Rank - operands[i].Count(char.IsAsciiLetter);
            if (fromRight < count && values[i].Type[dots + count - 1 - fromRight] != 1) return true;
        }

        return false;
    }

    private static string Once(string[] operands, string dots)
    {
        var all = string.Concat(operands).Where(c => char.IsAsciiLetter(c) && !dots.Contains(c)).ToArray();
        return string.Concat(all.Distinct().Where(c => all.Count(d => d == c) == 1).Order());
    }
}
