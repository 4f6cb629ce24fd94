namespace Convoy.Shared.Jobs;

/// <summary>Makers of the rows of <see cref="JobSchema"/>, one per value type.</summary>
internal static class JobKeys
{
    public static JobKey<int> Int(string path, int min, int max, Func<JobSpec, int> get,
        Func<JobSpec, int, JobSpec> set, string doc) => new()
        {
            Path = path, Type = "whole number", Range = $"{min} to {max}", Doc = doc, Get = get, Set = set,
            Parse = JobValues.Int, Text = v => JobValues.Print(v), Rule = v => OutOf(v, min, max),
        };

    public static JobKey<long> Long(string path, long min, long max, Func<JobSpec, long> get,
        Func<JobSpec, long, JobSpec> set, string doc) => new()
        {
            Path = path, Type = "whole number", Range = $"{min} to {max}", Doc = doc, Get = get, Set = set,
            Parse = JobValues.Whole, Text = v => JobValues.Print(v), Rule = v => OutOf(v, min, max),
        };

    /// <param name="path">Dotted path.</param>
    /// <param name="rule">Returns whether a finite value is in the range that <paramref name="range"/>
    /// describes.</param>
    /// <param name="range">The range in words.</param>
    /// <param name="get">Reads the value.</param>
    /// <param name="set">Writes the value.</param>
    /// <param name="doc">One line.</param>
    public static JobKey<double> Real(
        string path, Func<double, bool> rule, string range, Func<JobSpec, double> get,
            Func<JobSpec, double, JobSpec> set, string doc) => new()
            {
                Path = path, Type = "number", Range = range, Doc = doc, Get = get, Set = set,
                Parse = JobValues.Real, Text = JobValues.Print,
                Rule = v =>
                    double.IsFinite(v) && rule(v) ? null : $"{JobValues.Print(v)} is out of range; it is {range}",
            };

    public static JobKey<string> Choice(
        string path, string[] choices, string[] notYet, Func<JobSpec, string> get, Func<JobSpec, string, JobSpec> set,
            string doc) => new()
            {
                Path = path, Type = "text", Range = string.Join(", ", choices), Doc = doc, Get = get, Set = set,
                Parse = JobValues.Text, Text = JobValues.PrintText,
                Rule = v => choices.Contains(v, StringComparer.Ordinal) ? null
                    : notYet.Contains(v, StringComparer.Ordinal) ? $"{v} is not there yet; use {Or(choices)}"
                    : $"'{v}' is not known{NearestWord.DidYouMean(v, choices)}; use {Or(choices)}",
            };

    public static JobKey<string> Text(
        string path, Func<string, string?> rule, string range, Func<JobSpec, string> get,
            Func<JobSpec, string, JobSpec> set, string doc) => new()
            {
                Path = path, Type = "text", Range = range, Doc = doc, Get = get, Set = set,
                Parse = JobValues.Text, Text = JobValues.PrintText, Rule = rule,
            };

    public static JobKey<IReadOnlyList<string>> Paths(
        string path, Func<JobSpec, IReadOnlyList<string>> get, Func<JobSpec, IReadOnlyList<string>, JobSpec> set,
            string doc) => new()
            {
                Path = path, Type = "path or list of paths", Doc = doc, Get = get, Set = set, Parse = JobValues.Paths,
                Text = JobValues.PrintList,
                Rule = v => v.Any(p => p.Length == 0) ? "a path is not empty"
                    : v.Any(p => p.Contains('\0', StringComparison.Ordinal)) ? "a path has no zero character" : null,
            };

    public static JobKey<bool> Flag(string path, Func<JobSpec, bool> get, Func<JobSpec, bool, JobSpec> set,
        string doc) => new()
        {
            Path = path, Type = "true or false", Doc = doc, Get = get, Set = set,
            Parse = JobValues.Flag, Text = v => v ? "true" : "false",
        };

    /// <summary>A layout of which only the plain value 1 exists so far.</summary>
    public static JobKey<int> OnlyOne(string path, Func<JobSpec, int> get, Func<JobSpec, int, JobSpec> set,
        string doc) => new()
        {
            Path = path, Type = "whole number", Range = "1", Doc = doc, Get = get, Set = set,
            Parse = JobValues.Int, Text = v => JobValues.Print(v),
            Rule = v => v == 1 ? null : v < 1 ? $"{v} is out of range; it is 1"
                : $"{v} is not there yet; only 1 works in this version",
        };

    public static string Or(IReadOnlyList<string> words) =>
        words.Count == 1 ? words[0] : $"{string.Join(", ", words.Take(words.Count - 1))} or {words[^1]}";

    public static string? OutOf(long value, long min, long max) =>
        value >= min && value <= max ? null : $"{value} is out of range; it is {min} to {max}";
}
