using System.Globalization;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>
/// What stands between the brackets of a printed layer: numbers by their place, then settings by name. A setting that
/// nobody asked for is a stranger, unless it says what is meant without it.
/// </summary>
internal sealed class GoldenSettings
{
    private const StringSplitOptions Clean = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    // Sizes that the parameters have too, what changes no number, and defaults of what is not known here.
    private static readonly string[] Silent =
    [
        "in_features", "out_features", "inplace", "momentum", "num_parameters=1", "ceil_mode=False", "start_dim=1",
        "end_dim=-1", "threshold=20", "track_running_stats=False",
    ];

    private readonly List<string> _places = [];
    private readonly Dictionary<string, string> _named = new(StringComparer.Ordinal);
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);
    private string? _notANumber;

    public GoldenSettings(string printed)
    {
        foreach (var part in Parts(printed))
        {
            if (part.Split('=', 2, Clean) is [var name, var value]) _named[name] = value;
            else _places.AddRange(Numbers(part));
        }
    }

    /// <summary>Settings that mean nothing here; null when there is none.</summary>
    public string? Stranger => _notANumber ?? _named.Where(p => !_asked.Contains(p.Key)
        && !Silent.Contains(p.Key) && !Silent.Contains($"{p.Key}={p.Value}")).Select(p => $"{p.Key}={p.Value}")
        .FirstOrDefault();

    /// <summary>How many numbers stand without a name.</summary>
    public int Places => _places.Count;

    public int Place(int n) => int.Parse(_places[n], CultureInfo.InvariantCulture);

    public string Text(string name)
    {
        _asked.Add(name);
        return _named.GetValueOrDefault(name, "");
    }

    public bool Flag(string name) => Text(name) != "False";

    public double Number(string name, double otherwise)
    {
        if (Text(name) is not { Length: > 0 } text) return otherwise;
        if (double.TryParse(text, CultureInfo.InvariantCulture, out var value)) return value;
        _notANumber = $"{name}={text}";
        return otherwise;
    }

    /// <summary>Sizes of windows by name: one number where all are equal, else one for each dimension.</summary>
    public Attributes Window(params ReadOnlySpan<string> names)
    {
        var window = Attributes.None;
        foreach (var name in names)
        {
            if (Text(name) is not { Length: > 0 } text) continue;
            var sizes = Numbers(text).Select(t => int.TryParse(t, CultureInfo.InvariantCulture, out var n) ? n : -1)
                .ToArray();
            if (sizes.Contains(-1) || sizes.Length == 0) _notANumber = $"{name}={text}";
            var key = name switch { "kernel_size" => "kernel", "output_size" => "output", _ => name };
            window = sizes.Distinct().Count() == 1 ? window.With(key, sizes[0]) : window.With(key, sizes);
        }

        return window;
    }

    private static string[] Numbers(string text) => text.Trim('(', ')').Split(',', Clean);

    // At the commas that are in no inner brackets.
    private static IEnumerable<string> Parts(string printed)
    {
        var (depth, from) = (0, 0);
        for (var i = 0; i < printed.Length; i++)
        {
            if (printed[i] == '(') depth++;
            else if (printed[i] == ')') depth--;
            if (printed[i] != ',' || depth > 0) continue;
            yield return printed[from..i].Trim();
            from = i + 1;
        }

        if (from < printed.Length) yield return printed[from..].Trim();
    }
}
