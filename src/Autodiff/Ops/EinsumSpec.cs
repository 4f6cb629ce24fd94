using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// A contraction such as <c>bij,bjk-&gt;bik</c>: a letter per dimension, operands with commas, the result after the
/// arrow (without an arrow: the letters that occur once, in alphabetical order). Errors point at the character.
/// </summary>
internal sealed class EinsumSpec
{
    private readonly EinsumSource _source;

    private EinsumSpec(EinsumSource source, string[] operands, string result)
    {
        (_source, Operands, Result) = (source, operands, result);
    }

    public string Text => _source.Text;
    public string[] Operands { get; }
    public string Result { get; }

    public static EinsumSpec Parse(string text) => Parse(new EinsumSource(text));

    public static EinsumSpec Parse(EinsumSource source)
    {
        var text = source.Text;
        var operands = new List<string> { "" };
        string? result = null;
        for (var at = 0; at < text.Length; at++)
        {
            var c = text[at];
            if (c == ' ') continue;
            if (char.IsAsciiLetter(c))
            {
                if (result is null) operands[^1] += c;
                else result = AppendResult(source, at, operands, result);
            }
            else if (c == ',' && result is null) operands.Add("");
            else if (c == '-' && result is null && at + 1 < text.Length && text[at + 1] == '>')
            {
                result = "";
                at++;
            }
            else throw source.Wrong(at, "is not a letter, ',' or '->'");
        }

        return new EinsumSpec(source, [.. operands], result ?? Implicit(operands));
    }

    /// <summary>The size of each letter, after a check of every operand against its letters.</summary>
    public Dictionary<char, Dim> Sizes(ReadOnlySpan<TensorType> inputs)
    {
        if (inputs.Length != Operands.Length)
            throw _source.Wrong($"names {Operands.Length} operands, {inputs.Length} are given");
        var sizes = new Dictionary<char, Dim>();
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].Rank != Operands[i].Length)
            {
                throw _source.Wrong(
                    PlaceOf(i, 0),
                    $"starts operand {i} with {Operands[i].Length} letters, its shape is {inputs[i].Text}");
            }

            for (var axis = 0; axis < Operands[i].Length; axis++)
            {
                var (letter, size) = (Operands[i][axis], inputs[i][axis]);
                if (sizes.TryGetValue(letter, out var known) && known != size)
                    throw _source.Wrong(PlaceOf(i, axis), $"is {size} here and {known} before");
                sizes[letter] = size;
            }
        }

        return sizes;
    }

    /// <summary>Place in the text of a letter of an operand.</summary>
    private int PlaceOf(int operand, int letter)
    {
        var at = 0;
        for (; operand > 0; at++)
            if (Text[at] == ',') operand--;
        for (; at < Text.Length - 1; at++)
            if (Text[at] != ' ' && letter-- == 0) break;
        return Math.Min(at, Text.Length - 1);
    }

    private static string AppendResult(EinsumSource source, int at, List<string> operands, string result)
    {
        var text = source.Text;
        if (result.Contains(text[at])) throw source.Wrong(at, "is twice in the result");
        if (!operands.Any(o => o.Contains(text[at]))) throw source.Wrong(at, "is in no operand");
        return result + text[at];
    }

    private static string Implicit(List<string> operands)
    {
        var all = string.Concat(operands);
        return string.Concat(all.Distinct().Where(c => all.Count(d => d == c) == 1).Order());
    }
}
