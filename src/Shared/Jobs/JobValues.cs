using System.Globalization;

namespace Convoy.Shared.Jobs;

/// <summary>Reads and prints the value types of job keys; each reader says what it expected.</summary>
internal static class JobValues
{
    private static readonly (string Suffix, long Factor)[] SizeUnits =
        [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("KB", 1L << 10), ("MB", 1L << 20), ("GB", 1L << 30),
            ("B", 1)];

    private static readonly (string Suffix, long Factor)[] TimeUnits = [("ms", 1), ("s", 1_000)];

    public static string Text(JobNode node, string key) => Scalar(node, key, "text").Text;

    public static long Whole(JobNode node, string key)
    {
        var text = Number(node, key, "a whole number");
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
            return value;
        throw node.Fail(key, $"a whole number is expected, not {node.Describe()}");
    }

    public static int Int(JobNode node, string key)
    {
        var value = Whole(node, key);
        if (value is >= int.MinValue and <= int.MaxValue) return (int)value;
        throw node.Fail(key, $"{value} is too large; at most {int.MaxValue}");
    }

    public static ulong Seed(JobNode node, string key)
    {
        var text = Number(node, key, "a whole number");
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return value;
        throw node.Fail(key, $"a whole number from 0 to {ulong.MaxValue} is expected, not {node.Describe()}");
    }

    public static double Real(JobNode node, string key)
    {
        var text = Number(node, key, "a number");
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && double.IsFinite(value))
            return value;
        throw node.Fail(key, $"a finite number is expected, not {node.Describe()}");
    }

    public static int Bytes(JobNode node, string key) =>
        (int)WithUnit(node, key, SizeUnits, "a size such as 4MB, 512KB or a number of bytes");

    public static int Milliseconds(JobNode node, string key) =>
        (int)WithUnit(node, key, TimeUnits, "a time such as 250ms or 1s");

    public static bool Flag(JobNode node, string key) => Scalar(node, key, "true or false").Text switch
    {
        "true" => true,
        "false" => false,
        var other => throw node.Fail(key, $"'{other}' is not true or false"),
    };

    public static IReadOnlyList<int> Ints(JobNode node, string key) =>
        [.. List(node, key, "a list of whole numbers such as [64, 10]").Select(item => Int(item, key))];

    public static IReadOnlyList<string> Words(JobNode node, string key) =>
        [.. List(node, key, "a list such as [conv16, pool, 10]").Select(item => Text(item, key))];

    /// <summary>One path or a list of paths.</summary>
    public static IReadOnlyList<string> Paths(JobNode node, string key) =>
        node.Kind == JobNodeKind.List ? [.. node.Items.Select(item => Text(item, key))] : [Text(node, key)];

    public static int AutoOrInt(JobNode node, string key) =>
        node is { Kind: JobNodeKind.Scalar, Text: "auto" } ? 0 : Int(node, key);

    public static string Print(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    public static string Print(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string PrintBytes(int bytes) =>
        bytes != 0 && bytes % (1 << 20) == 0 ? $"{bytes >> 20}MB"
        : bytes != 0 && bytes % (1 << 10) == 0 ? $"{bytes >> 10}KB"
        : Print(bytes);

    public static string PrintMilliseconds(int ms) => ms % 1_000 == 0 ? $"{ms / 1_000}s" : $"{ms}ms";

    public static string PrintList(IEnumerable<string> items) => $"[{string.Join(", ", items.Select(PrintText))}]";

    /// <summary>Plain where YAML reads it back as the same text, else double-quoted.</summary>
    public static string PrintText(string text)
    {
        var plain = text.Length > 0 && text is not ("~" or "null") && text[0] != '-' && text[^1] != ':'
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/' or '+' or '\\');
        return plain && !text.StartsWith("...", StringComparison.Ordinal) ? text : Quote(text);
    }

    private static string Quote(string text)
    {
        var quoted = new System.Text.StringBuilder("\"");
        foreach (var c in text)
        {
            if (c is '"' or '\\') quoted.Append('\\').Append(c);
            else if (c < ' ' || c is '\u007f' or '\u0085' or '\u2028' or '\u2029' or '\ufeff')
                quoted.Append($"\\u{(int)c:x4}");
            else quoted.Append(c);
        }

        return quoted.Append('"').ToString();
    }

    private static JobNode Scalar(JobNode node, string key, string expected)
    {
        if (node.IsEmptyScalar) throw node.Fail(key, $"has no value; write {expected} or remove the key");
        return node.Kind == JobNodeKind.Scalar ? node
            : throw node.Fail(key, $"{expected} is expected, not {node.Describe()}");
    }

    private static string Number(JobNode node, string key, string expected)
    {
        Scalar(node, key, expected);
        return node.IsQuoted
            ? throw node.Fail(key, $"{expected} is expected, not {node.Describe()}; remove the quotes") : node.Text;
    }

    private static IReadOnlyList<JobNode> List(JobNode node, string key, string expected) =>
        node.Kind == JobNodeKind.List ? node.Items
            : throw node.Fail(key, $"{expected} is expected, not {node.Describe()}");

    private static long WithUnit(JobNode node, string key, (string Suffix, long Factor)[] units, string expected)
    {
        var text = Scalar(node, key, expected).Text;
        var value = TryUnit(text, units) ?? throw node.Fail(key, $"{expected} is expected, not {node.Describe()}");
        return value <= int.MaxValue ? value : throw node.Fail(key, $"{text} is too large");
    }

    /// <summary>Bytes of a size such as 64MB; long.MaxValue stands for all that are larger; null: not a size.</summary>
    public static long? TryBytes(string text) => TryUnit(text, SizeUnits);

    private static long? TryUnit(string text, (string Suffix, long Factor)[] units)
    {
        var (digits, factor) = (text, 1L);
        foreach (var (suffix, unit) in units)
        {
            if (!text.EndsWith(suffix, StringComparison.Ordinal)) continue;
            (digits, factor) = (text[..^suffix.Length].TrimEnd(), unit);
            break;
        }

        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        return number > long.MaxValue / factor ? long.MaxValue : number * factor;
    }
}
