using System.Globalization;

namespace Convoy.Simulation.Tests.Scripting;

/// <summary>One command line of a script: <c>verb word word key=value</c>. Times are written 250ms, 1s, 1.5s.</summary>
public sealed class ScriptCommand
{
    private readonly string _line;
    private readonly List<(string Key, string Value)> _named = [];
    private readonly List<string> _words = [];

    public ScriptCommand(string line)
    {
        _line = line;
        var parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Verb = parts[0];
        foreach (var part in parts.Skip(1))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at > 0) _named.Add((part[..at], part[(at + 1)..]));
            else _words.Add(part);
        }
    }

    public string Verb { get; }

    public IReadOnlyList<string> Words => _words;

    public bool Has(string key) => _named.Exists(p => p.Key == key);

    public string Text(string key, string? otherwise = null)
    {
        foreach (var (k, value) in _named)
            if (k == key) return value;
        return otherwise ?? throw new FormatException($"'{_line}' needs {key}=");
    }

    public long Number(string key, long? otherwise = null) =>
        !Has(key) && otherwise is { } value ? value : long.Parse(Text(key), CultureInfo.InvariantCulture);

    /// <summary>Comma-separated numbers; <c>1..4</c> is a range.</summary>
    public IReadOnlyList<int> Numbers(string key) => NumbersOf(Text(key));

    public IReadOnlyList<int> NumbersAt(int word) => NumbersOf(Words[word]);

    public TimeSpan TimeAt(int word) => TimeOf(Words[word]);

    public TimeSpan Time(string key, TimeSpan? otherwise = null) =>
        !Has(key) && otherwise is { } value ? value : TimeOf(Text(key));

    public static TimeSpan TimeOf(string text)
    {
        var milliseconds = text.EndsWith("ms", StringComparison.Ordinal);
        var number = double.Parse(text.TrimEnd('m', 's'), CultureInfo.InvariantCulture);
        return milliseconds ? TimeSpan.FromMilliseconds(number) : TimeSpan.FromSeconds(number);
    }

    public override string ToString() => _line;

    private static List<int> NumbersOf(string text)
    {
        var numbers = new List<int>();
        foreach (var part in text.Split(','))
        {
            var range = part.Split("..");
            var first = int.Parse(range[0], CultureInfo.InvariantCulture);
            var last = int.Parse(range[^1], CultureInfo.InvariantCulture);
            for (var i = first; i <= last; i++) numbers.Add(i);
        }

        return numbers;
    }
}
