using System.Globalization;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tensors;

/// <summary>Which element types are taken: one, or any floating-point type.</summary>
public readonly record struct ElementRule(DType? Only)
{
    /// <summary>float32 or float64.</summary>
    public static readonly ElementRule AnyFloat = new(null);

    /// <summary>Just this type.</summary>
    public static implicit operator ElementRule(DType type) => new(type);

    /// <summary>Whether a type keeps the rule.</summary>
    public bool Takes(DType type) => Only is { } only ? type == only : type is DType.Float32 or DType.Float64;

    /// <inheritdoc/>
    public override string ToString() => Only is { } only ? ElementTypes.Of(only).Name : "float32 or float64";
}

/// <summary>
/// A rule for shapes, such as <c>N, 3, H, H</c>: numbers are sizes, letters are sizes that must be equal wherever they
/// stand, <c>2N</c> is twice N, and <c>...</c> in front stands for any dimensions.
/// </summary>
public sealed class ShapeContract
{
    private readonly (int Factor, string Letter)[] _dims;
    private readonly bool _anyInFront;
    private readonly string _text;

    private ShapeContract(string text, (int, string)[] dims, bool anyInFront)
    {
        (_text, _dims, _anyInFront) = (text, dims, anyInFront);
    }

    /// <summary>Reads a rule such as <c>N, 3, H, H</c>.</summary>
    /// <exception cref="ShapeException">A part is neither a number, a letter nor both.</exception>
    public static ShapeContract Parse(string text)
    {
        var parts = string.IsNullOrWhiteSpace(text) ? [] : text.Split(',', StringSplitOptions.TrimEntries);
        var any = parts.Length > 0 && parts[0] == "...";
        return new ShapeContract(text, [.. parts.Skip(any ? 1 : 0).Select(p => Part(text, p))], any);
    }

    /// <summary>The shape of a graph value; its batch is the letter N.</summary>
    public static ShapeContract Of(TensorType type) => Parse(string.Join(", ", type.Dims));

    /// <summary>
    /// Null when the shape keeps the rule; letters that are met first get their size in <paramref name="sizes"/>.
    /// </summary>
    public Diagnostic? Check(string where, Shape shape, IDictionary<string, int> sizes)
    {
        if (_anyInFront ? shape.Rank < _dims.Length : shape.Rank != _dims.Length)
            return Broken(where, shape, $"has {shape.Rank} dimensions, {_dims.Length} are asked for");
        for (var i = 0; i < _dims.Length; i++)
        {
            var (factor, letter) = _dims[i];
            var size = shape[shape.Rank - _dims.Length + i];
            if (letter.Length == 0)
            {
                if (size != factor) return Broken(where, shape, $"dimension {i} is {size}, not {factor}");
                continue;
            }

            if (factor == 0 || size % factor != 0)
                return Broken(where, shape, $"dimension {i} is {size}, which is not {factor} times {letter}");
            if (sizes.TryGetValue(letter, out var known) && known != size / factor)
                return Broken(where, shape, $"{letter} is {size / factor} in dimension {i} and {known} before");
            sizes[letter] = size / factor;
        }

        return null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"[{_text}]";

    private Diagnostic Broken(string where, Shape shape, string rule) =>
        Diagnostic.Shape(where, [$"{shape}"], rule, $"give it the shape {this}");

    private static (int, string) Part(string text, string part)
    {
        var digits = 0;
        while (digits < part.Length && char.IsAsciiDigit(part[digits])) digits++;
        var letter = part[digits..];
        var legal = letter.Length == 0 ? digits > 0 : letter.All(char.IsAsciiLetter);
        if (!legal)
            throw new ShapeException(
                $"shape contract \"{text}\": \"{part}\" is not a number, a name, or a number and a name");
        var factor = 1;
        if (digits > 0
            && !int.TryParse(part.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out factor))
            throw new ShapeException($"shape contract \"{text}\": \"{part}\" is too large");
        return (factor, letter);
    }
}
