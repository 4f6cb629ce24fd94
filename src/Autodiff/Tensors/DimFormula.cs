using System.Globalization;

namespace Convoy.Autodiff.Tensors;

/// <summary>
/// A size with names in it, as a sum of products: <c>2N*T+3</c>. Factors are 1 or more, the names of a product and the
/// products of a sum are in one order, so equal sizes are equal formulas. Texts are <c>[factor]name*name+...</c>.
/// </summary>
internal sealed class DimFormula : IEquatable<DimFormula>
{
    /// <summary>Letters of a name.</summary>
    public const int NameMax = 32;
    private const int TermsMax = 16;
    private const int NamesOfTermMax = 16;

    private readonly Term[] _terms;
    private readonly string _text;

    private DimFormula(Term[] terms)
    {
        if (terms.Length > TermsMax || terms.Any(t => t.Names.Length > NamesOfTermMax))
            throw new ShapeException($"a size of more than {TermsMax} terms, or of {NamesOfTermMax} names in one");
        _terms = terms;
        _text = terms.Length == 0 ? "0" : string.Join("+", terms);
        Names = [.. terms.SelectMany(t => t.Names).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>In their order, each once.</summary>
    public string[] Names { get; }

    public static DimFormula Of(int size, bool perSample) => new(size == 0 ? []
        : [new Term(size, perSample ? [Dim.BatchName] : [])]);

    public static Dim Of(string name) => new DimFormula([new Term(1, [name])]).ToDim();

    /// <summary>Of all dimensions: how many elements there are.</summary>
    public static DimFormula Product(ReadOnlySpan<Dim> dims)
    {
        var product = Of(1, false);
        foreach (var dim in dims) product *= dim.Formula;
        return product;
    }

    /// <summary>A number, a multiple of the batch, or this.</summary>
    public Dim ToDim() => _terms switch
    {
        [] => new Dim(0),
        [{ Names: [] } number] => new Dim(Whole(number.Factor)),
        [{ Names: [Dim.BatchName] } rows] => new Dim(Whole(rows.Factor), true),
        _ => new Dim(this),
    };

    /// <summary>The factor and the name of a size of one name; null for any other.</summary>
    public (long Factor, string Name)? Single =>
        _terms is [{ Names: [var name] } only] ? (only.Factor, name) : null;

    public static DimFormula operator +(DimFormula a, DimFormula b) => Sum([.. a._terms, .. b._terms]);

    public static DimFormula operator *(DimFormula a, DimFormula b) =>
        Sum([.. a._terms.SelectMany(_ => b._terms, Term.Product)]);

    /// <summary>The quotient where it has no remainder whatever the names stand for; else null.</summary>
    public DimFormula? DividedBy(DimFormula other)
    {
        if (other._terms is not [var by]) return null;
        var quotient = new Term[_terms.Length];
        for (var i = 0; i < quotient.Length; i++)
        {
            var rest = _terms[i].Names.ToList();
            if (!by.Names.All(rest.Remove) || _terms[i].Factor % by.Factor != 0) return null;
            quotient[i] = new Term(_terms[i].Factor / by.Factor, [.. rest]);
        }

        return Sum(quotient);
    }

    /// <summary>Other sizes in the place of names; null leaves a name.</summary>
    public Dim With(Func<string, Dim?> sizes)
    {
        var sum = new DimFormula([]);
        foreach (var term in _terms)
        {
            var product = new DimFormula([new Term(term.Factor, [])]);
            foreach (var name in term.Names) product *= (sizes(name) ?? Of(name)).Formula;
            sum += product;
        }

        return sum.ToDim();
    }

    /// <summary>Reads what <see cref="ToString"/> wrote; null for anything else.</summary>
    public static DimFormula? Parse(string text)
    {
        var terms = new List<Term>();
        foreach (var part in text.Split('+'))
        {
            var digits = 0;
            while (digits < part.Length && char.IsAsciiDigit(part[digits])) digits++;
            var names = digits == part.Length ? [] : part[digits..].Split('*');
            long factor = 1;
            var isTerm = names.All(IsName)
                && (digits == 0 ? names.Length > 0 : long.TryParse(
                    part.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out factor))
                && factor is >= 1 and <= int.MaxValue;
            if (!isTerm || names.Length > NamesOfTermMax || terms.Count == TermsMax) return null;
            terms.Add(new Term(factor, names));
        }

        var formula = Sum([.. terms]);
        return formula._text == text ? formula : null;
    }

    public static int Whole(long size) => size is >= 0 and <= int.MaxValue ? (int)size
        : throw new ShapeException($"a dimension of {size}: it has 0 to {int.MaxValue} elements");

    public bool Equals(DimFormula? other) => other is not null && other._text == _text;

    public override bool Equals(object? obj) => Equals(obj as DimFormula);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_text);

    public override string ToString() => _text;

    private static bool IsName(string name) => name.Length is > 0 and <= NameMax
        && (name.All(char.IsAsciiLetter) || IsNumbered(name));

    private static bool IsNumbered(string name) => name.Length > 1
        && name.StartsWith(Dim.DynamicMark, StringComparison.Ordinal)
        && name.AsSpan(1).IndexOfAnyExceptInRange('0', '9') < 0;

    // Equal products as one, in order: those with more names first, the number last.
    private static DimFormula Sum(Term[] terms)
    {
        var all = new SortedDictionary<string, Term>(StringComparer.Ordinal);
        foreach (var term in terms)
        {
            string[] names = [.. term.Names.Order(StringComparer.Ordinal)];
            var key = string.Join("*", names);
            var before = all.TryGetValue(key, out var known) ? known.Factor : 0;
            all[key] = new Term(Factor(() => checked(before + term.Factor)), names);
        }

        return new DimFormula([.. all.Values.Where(t => t.Factor > 0).OrderByDescending(t => t.Names.Length)]);
    }

    private static long Factor(Func<long> value)
    {
        try
        {
            return value();
        }
        catch (OverflowException)
        {
            throw new ShapeException("a size has a factor of more than 64 bits");
        }
    }

    private readonly record struct Term(long Factor, string[] Names)
    {
        public static Term Product(Term a, Term b) =>
            new(DimFormula.Factor(() => checked(a.Factor * b.Factor)), [.. a.Names, .. b.Names]);

        public override string ToString()
        {
            var names = string.Join("*", Names);
            return Factor == 1 && Names.Length > 0 ? names
                : string.Create(CultureInfo.InvariantCulture, $"{Factor}{names}");
        }
    }
}
