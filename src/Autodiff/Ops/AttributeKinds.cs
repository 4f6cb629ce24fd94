using System.Collections.Frozen;
using System.Collections.Immutable;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// ERR-01: what values an attribute may have. A name has one meaning in all operators, but for the few that are named
/// here. Read as another kind, a value would be passed over and the default taken without a word.
/// </summary>
internal static class AttributeKinds
{
    private enum Kind { Whole, Flag, Number, Text, List, WholeOrList, Shape, ElementType }

    private static readonly FrozenDictionary<string, Kind> ByName = Table(
        (Kind.Whole, """
            a after axis b before blank classes count groups heads height ignore k n rows seed shift size start
            step stream width with
            """),
        (Kind.Flag, """
            adjoint causal columns descending hard keep reverse smallest ta tb unbiased zero-infinity
            """),
        (Kind.Number, """
            alpha delta elements epsilon exponent kink margin max min momentum p rate slope smoothing temperature value
            """),
        (Kind.Text, "activation init mode package reduction spec ties"),
        (Kind.List, "axes perm repeats sizes"),
        (Kind.WholeOrList, "dilation kernel output output_padding padding stride"),
        (Kind.Shape, "dims"),
        (Kind.ElementType, "dtype"));

    /// <summary>Whether the kind of a name is known: a test has it for every name of every operator.</summary>
    public static bool Has(string name) => ByName.ContainsKey(name);

    /// <summary>What the value should have been, for an error; null where it is right.</summary>
    public static string? Wanted(Op op, string name, object value) => KindOf(op, name) switch
    {
        Kind.Whole => IsWhole(value) ? null : "a whole number of 32 bits",
        Kind.Flag => value is 0L or 1L ? null : "0 or 1",
        Kind.Number => value is long or double ? null : "a number",
        Kind.Text => value is string ? null : "a text",
        Kind.List => value is ImmutableArray<int> ? null : "a list of whole numbers",
        Kind.WholeOrList => IsWhole(value) || value is ImmutableArray<int> ? null : "a whole number, or a list of them",
        Kind.Shape => value is ImmutableArray<Dim> ? null : "a shape",
        _ => IsWhole(value) && Enum.IsDefined((DType)(int)(long)value) ? null : "an element type",
    };

    private static bool IsWhole(object value) => value is >= (long)int.MinValue and <= int.MaxValue;

    private static Kind KindOf(Op op, string name) => (op, ByName[name]) switch
    {
        // Of tokens, which are whole numbers.
        (Mark or Replace, Kind.Number) => Kind.Whole,
        // How many of the last.
        (LayerNormAny, Kind.List) => Kind.Whole,
        // Windows of images are square; those that are written out have a number for each side.
        (Conv2d or Conv2dGradInput or Conv2dGradWeight or MaxPool2d or MaxPool2dGrad or AvgPool2d or AvgPool2dGrad,
            Kind.WholeOrList) => Kind.Whole,
        (Unfold or Fold, Kind.WholeOrList) => Kind.List,
        var (_, kind) => kind,
    };

    private static FrozenDictionary<string, Kind> Table(params (Kind Kind, string Names)[] rows) => rows
        .SelectMany(r => r.Names.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries)
            .Select(name => (name, r.Kind)))
        .ToFrozenDictionary(p => p.name, p => p.Kind, StringComparer.Ordinal);
}
