using System.Text;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Writes "..." of a contraction as letters, one for each dimension that has none of its own, the same from the
/// right in every operand; a dimension of size 1 there is repeated, so the operand loses it.
/// </summary>
internal static class EinsumEllipsis
{
    private const string Dots = "...";

    public static (EinsumSource Source, Value[] Operands) Written(string spec, ReadOnlySpan<Value> operands)
    {
        var values = operands.ToArray();
        var source = new EinsumSource(spec);
        if (!spec.Contains('.', StringComparison.Ordinal)) return (source, values);
        CheckDots(source);
        var arrow = spec.IndexOf("->", StringComparison.Ordinal);
        var left = (arrow < 0 ? spec : spec[..arrow]).Split(',');
        if (left.Length != values.Length)
            throw source.Wrong($"names {left.Length} operands, {values.Length} are given");
        var free = new string([.. "ZYXWVUTSRQPONMLKJIHGFEDCBA".Where(c => !spec.Contains(c))]);
        var counts = left.Select((o, i) => Count(source, o, values[i].Type)).ToArray();
        var most = counts.Max();
        if (most > free.Length) throw source.Wrong("too few letters are left for \"...\"");
        var all = free[..most];
        var given = values.ToArray();
        var text = new StringBuilder();
        var places = new List<int>();
        var from = 0;
        for (var i = 0; i < left.Length; i++)
        {
            var mine = "";
            if (left[i].Contains(Dots, StringComparison.Ordinal))
                (mine, values[i]) = WithoutOnes(left[i], all[(most - counts[i])..], given, left, i);
            // The comma, or the arrow, that follows goes along.
            var end = from + left[i].Length;
            Append(spec, from, i < left.Length - 1 ? end + 1 : end, mine, text, places);
            from = end + 1;
        }

        if (arrow >= 0) Append(spec, arrow, spec.Length, all, text, places);
        else Implicit(left, all, text, places);
        return (new EinsumSource(text.ToString(), spec, places), values);
    }

    private static void Append(
        string spec, int from, int end, string letters, StringBuilder text, List<int> places)
    {
        for (var at = from; at < end; at++)
        {
            var isDots = spec[at] == '.';
            var part = isDots ? letters : spec[at].ToString();
            text.Append(part);
            foreach (var _ in part) places.Add(at);
            if (isDots) at += Dots.Length - 1;
        }
    }

    // Without an arrow: the dimensions of "...", then the letters that occur once. Nobody wrote them, so a fault in
    // them would point at the first character; there is none.
    private static void Implicit(string[] operands, string dots, StringBuilder text, List<int> places)
    {
        var result = "->" + dots + Once(operands);
        text.Append(result);
        foreach (var _ in result) places.Add(0);
    }

    private static void CheckDots(EinsumSource source)
    {
        var (spec, isSecond) = (source.Text, false);
        for (var at = 0; at < spec.Length; at++)
        {
            if (spec[at] is ',' or '>') isSecond = false;
            if (spec[at] != '.') continue;
            if (at + 2 >= spec.Length || spec[at + 1] != '.' || spec[at + 2] != '.')
                throw source.Wrong(at, "is not part of \"...\"");
            if (isSecond) throw source.Wrong(at, "begins a second \"...\" where one may be");
            isSecond = true;
            at += 2;
        }
    }

    private static int Count(EinsumSource source, string operand, TensorType type)
    {
        if (!operand.Contains(Dots, StringComparison.Ordinal)) return 0;
        var named = operand.Count(char.IsAsciiLetter);
        return named <= type.Rank ? type.Rank - named
            : throw source.Wrong($"operand \"{operand.Trim()}\" names {named} dimensions, its shape is {type.Text}");
    }

    private static (string Letters, Value Value) WithoutOnes(
        string operand, string mine, Value[] values, string[] operands, int index)
    {
        var from = LettersBefore(operand);
        var (letters, value) = (mine, values[index]);
        for (var k = mine.Length - 1; k >= 0; k--)
        {
            var fromRight = mine.Length - 1 - k;
            if (value.Type[from + k] != 1 || !IsWider(values, operands, index, fromRight)) continue;
            value = value.Squeeze(from + k);
            letters = letters.Remove(k, 1);
        }

        return (letters, value);
    }

    // Another operand has more than one element where this one has one.
    private static bool IsWider(Value[] values, string[] operands, int index, int fromRight)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (i == index || !operands[i].Contains(Dots, StringComparison.Ordinal)) continue;
            var count = values[i].Type.Rank - operands[i].Count(char.IsAsciiLetter);
            if (fromRight < count && values[i].Type[LettersBefore(operands[i]) + count - 1 - fromRight] != 1)
                return true;
        }

        return false;
    }

    private static int LettersBefore(string operand) =>
        operand[..operand.IndexOf(Dots, StringComparison.Ordinal)].Count(char.IsAsciiLetter);

    private static string Once(string[] operands)
    {
        var all = string.Concat(operands).Where(char.IsAsciiLetter).ToArray();
        return string.Concat(all.Distinct().Where(c => all.Count(d => d == c) == 1).Order());
    }
}
