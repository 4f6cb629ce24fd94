using System.Collections.Immutable;
using System.Globalization;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// The constants of a node: named numbers, texts, lists and shapes, sorted by name so that equal attributes are equal
/// bytes. Nothing else travels with a graph.
/// </summary>
public sealed class Attributes : IEquatable<Attributes>
{
    /// <summary>No constants.</summary>
    public static readonly Attributes None = new([]);

    private const int TextShownMax = 256;

    private Attributes(ImmutableArray<KeyValuePair<string, object>> entries)
    {
        Entries = entries;
    }

    /// <summary>Values are long, double, string, ImmutableArray of int, or ImmutableArray of Dim.</summary>
    public ImmutableArray<KeyValuePair<string, object>> Entries { get; }

    /// <summary>One constant; see <see cref="With"/> for what it may be.</summary>
    public static Attributes Of(string name, object value) => None.With(name, value);

    /// <summary>Two constants; see <see cref="With"/> for what they may be.</summary>
    public static Attributes Of(string name, object value, string name2, object value2) =>
        None.With(name, value).With(name2, value2);

    /// <summary>These and one more, in place of one of the same name.</summary>
    /// <exception cref="ArgumentException">The value is no number, flag, text, element type, list of int, or list of
    /// <see cref="Dim"/>.</exception>
    public Attributes With(string name, object value)
    {
        ArgumentNullException.ThrowIfNull(value, name);
        object stored = value switch
        {
            int i => (long)i,
            bool b => b ? 1L : 0L,
            DType d => (long)d,
            int[] a => a.ToImmutableArray(),
            Dim[] d => d.ToImmutableArray(),
            long or double or string or ImmutableArray<int> or ImmutableArray<Dim> => value,
            _ => throw new ArgumentException($"an attribute cannot be a {value.GetType().Name}"),
        };
        var rest = Entries.RemoveAll(e => e.Key == name);
        var at = 0;
        while (at < rest.Length && string.CompareOrdinal(rest[at].Key, name) < 0) at++;
        return new Attributes(rest.Insert(at, new KeyValuePair<string, object>(name, stored)));
    }

    /// <summary>The named ones, those that are there.</summary>
    public Attributes Only(params ReadOnlySpan<string> names)
    {
        var kept = None;
        foreach (var name in names)
            if (Find(name) is { } value) kept = kept.With(name, value);
        return kept;
    }

    /// <summary>All but these.</summary>
    internal Attributes Without(params ReadOnlySpan<string> names)
    {
        var rest = Entries;
        foreach (var name in names) rest = rest.RemoveAll(e => e.Key == name);
        return new Attributes(rest);
    }

    /// <summary>A whole number by name, or another where there is none.</summary>
    public int Int(string name, int otherwise = 0) => Find(name) is long v ? checked((int)v) : otherwise;
    /// <summary>Whether a number other than 0 has this name.</summary>
    public bool Flag(string name) => Find(name) is long and not 0;
    /// <summary>A number by name, or another where there is none.</summary>
    public double Number(string name, double otherwise = 0) =>
        Find(name) switch { double d => d, long l => l, _ => otherwise };
    /// <summary>A text by name, or another where there is none.</summary>
    public string Text(string name, string otherwise = "") => Find(name) as string ?? otherwise;
    /// <summary>A list by name; empty where there is none.</summary>
    public ImmutableArray<int> Ints(string name) => Find(name) is ImmutableArray<int> v ? v : [];
    /// <summary>A shape by name; empty where there is none.</summary>
    public ImmutableArray<Dim> Dims(string name) => Find(name) is ImmutableArray<Dim> v ? v : [];
    /// <summary>Whether there is a constant of this name.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>Equal names and values; numbers by their bits, so 0 and -0 differ.</summary>
    public bool Equals(Attributes? other)
    {
        if (other is null || other.Entries.Length != Entries.Length) return false;
        for (var i = 0; i < Entries.Length; i++)
        {
            if (Entries[i].Key != other.Entries[i].Key) return false;
            if (!SameValue(Entries[i].Value, other.Entries[i].Value)) return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Attributes);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = 17;
        foreach (var e in Entries) hash = unchecked((hash * 31) + e.Key.Length + e.Key[0]);
        return hash;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(" ", Entries.Select(e => $"{e.Key}={ValueText(e.Value)}"));

    private object? Find(string name)
    {
        foreach (var e in Entries)
            if (e.Key == name) return e.Value;
        return null;
    }

    private static bool SameValue(object a, object b) => (a, b) switch
    {
        (ImmutableArray<int> x, ImmutableArray<int> y) => x.AsSpan().SequenceEqual(y.AsSpan()),
        (ImmutableArray<Dim> x, ImmutableArray<Dim> y) => x.AsSpan().SequenceEqual(y.AsSpan()),
        // Bits, not values: -0.0 and 0.0 are different constants.
        (double x, double y) => BitConverter.DoubleToInt64Bits(x) == BitConverter.DoubleToInt64Bits(y),
        _ => a.Equals(b),
    };

    /// <summary>A value in an error, with its kind where its digits do not say it.</summary>
    internal static string Shown(object value) => value switch
    {
        string text => $"the text \"{ValueText(text)}\"",
        ImmutableArray<int> => $"the list {ValueText(value)}",
        ImmutableArray<Dim> => $"the shape {ValueText(value)}",
        _ => ValueText(value),
    };

    private static string ValueText(object value) => value switch
    {
        ImmutableArray<int> a => $"[{string.Join(",", a)}]",
        ImmutableArray<Dim> d => $"[{string.Join(",", d)}]",
        string { Length: > TextShownMax } s => $"({s.Length} characters)",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
