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
/// stand, <c>2N</c> is twice N, <c>N*T</c> and <c>T+1</c> what they say, and <c>...</c> in front stands for any
/// dimensions.
/// </summary>
public sealed class ShapeContract
{
    private readonly Dim[] _dims;
    private readonly bool _anyInFront;
    private readonly string _text;

    private ShapeContract(string text, Dim[] dims, bool anyInFront)
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

    /// <summary>The shape of a graph value; its batch is the letter N, and its other names are letters too.</summary>
    public static ShapeContract Of(TensorType type) => new(string.Join(", ", type.Dims), [.. type.Dims], false);

    /// <summary>
    /// Null when the shape keeps the rule; letters that are met first get their size in <paramref name="sizes"/>.
    /// </summary>
    public Diagnostic? Check(string where, Shape shape, IDictionary<string, int> sizes)
    {
        if (_anyInFront ? shape.Rank < _dims.Length : shape.Rank != _dims.Length)
            return Broken(where, shape, $"has {shape.Rank} dimensions, {_dims.Length} are asked for");
        for (var i = 0; i < _dims.Length; i++)
        {
            var (dim, size) = (_dims[i], shape[shape.Rank - _dims.Length + i]);
            var fault = dim.IsStatic
                ? dim.Size == size ? null : $"dimension {i} is {size}, not {dim}"
                : dim.Formula.Single is var (factor, letter) ? Named(i, size, factor, letter, sizes)
                : Computed(i, size, dim, sizes);
            if (fault is not null) return Broken(where, shape, fault);
        }

        return null;
    }

    private static string? Named(int i, int size, long factor, string letter, IDictionary<string, int> sizes)
    {
        if (size % factor != 0) return $"dimension {i} is {size}, which is not {factor} times {letter}";
        var one = (int)(size / factor);
        if (sizes.TryGetValue(letter, out var known) && known != one)
            return $"{letter} is {one} in dimension {i} and {known} before";
        sizes[letter] = one;
        return null;
    }

    // A sum or product of letters: checked where all of them are known by now.
    private static string? Computed(int i, int size, Dim dim, IDictionary<string, int> sizes)
    {
        var whole = dim.Formula.With(name => sizes.TryGetValue(name, out var known) ? known : null);
        return !whole.IsStatic || whole.Size == size ? null : $"dimension {i} is {size}, not {dim}, which is {whole}";
    }

    /// <inheritdoc/>
    public override string ToString() => $"[{_text}]";

    private Diagnostic Broken(string where, Shape shape, string rule) =>
        Diagnostic.Shape(where, [$"{shape}"], rule, $"give it the shape {this}");

    private static Dim Part(string text, string part)
    {
        if (part.All(char.IsAsciiDigit))
            return int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size
                : throw new ShapeException($"shape contract \"{text}\": \"{part}\" is too large");
        return DimFormula.Parse(part)?.ToDim() ?? throw new ShapeException(
            $"shape contract \"{text}\": \"{part}\" is not a number, a name, or a number and a name");
    }
}
