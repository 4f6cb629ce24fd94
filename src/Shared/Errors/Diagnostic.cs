using System.Globalization;

namespace Convoy.Shared.Errors;

public enum Severity
{
    /// <summary>Worth knowing.</summary>
    Note,
    /// <summary>Works, but probably not as meant.</summary>
    Warning,
    /// <summary>Does not work.</summary>
    Error,
}

/// <summary>
/// One finding: how bad, what, where (operator, node, or file and line) and what to do about it. Findings are values;
/// they become an exception only in <see cref="DiagnosticList.ThrowIfErrors"/>.
/// </summary>
public sealed record Diagnostic(Severity Severity, ErrorCode Code, string Where, string Text, string Suggestion)
{
    public static Diagnostic Shape(string where, IEnumerable<string> operands, string rule, string suggestion) =>
        new(Severity.Error, ErrorCode.ShapeMismatch, where,
            $"{rule} (operands {string.Join(", ", operands)})", suggestion);

    public static Diagnostic Type(string where, string found, string wanted) =>
        new(Severity.Error, ErrorCode.ElementType, where, $"takes {wanted}, not {found}", $"cast to {wanted}");

    /// <summary>More memory than there is is an error; more than half of it a warning.</summary>
    public static Diagnostic Memory(string where, long bytesNeeded, long bytesMax, string suggestion) =>
        new(bytesNeeded > bytesMax ? Severity.Error : bytesNeeded > bytesMax / 2 ? Severity.Warning : Severity.Note,
            ErrorCode.OutOfMemory, where,
            string.Create(CultureInfo.InvariantCulture,
                $"needs {bytesNeeded / 1048576.0:0.0} MiB of {bytesMax / 1048576.0:0.0} MiB"), suggestion);

    public static Diagnostic Performance(string where, string text, string suggestion) =>
        new(Severity.Warning, ErrorCode.Execution, where, text, suggestion);

    public override string ToString()
    {
        var advice = Suggestion.Length > 0 ? $". {Suggestion}" : "";
        return $"{Severity.ToString().ToLowerInvariant()} {Code}: {Where}: {Text}{advice}";
    }
}

/// <summary>
/// Findings of one look at something. Equal findings are kept once, with a count; the list has a bound.
/// </summary>
public sealed class DiagnosticList(int diagnosticsMax = 1_000)
{
    private readonly List<(Diagnostic Diagnostic, int Times)> _found = [];

    /// <summary>In the order in which they were first seen, with how often each was seen.</summary>
    public IReadOnlyList<(Diagnostic Diagnostic, int Times)> Found => _found;

    /// <summary>Findings that came after the bound was reached.</summary>
    public int Dropped { get; private set; }

    public bool HasErrors => Count(Severity.Error) > 0;

    public int Count(Severity severity) =>
        _found.Sum(f => f.Diagnostic.Severity == severity ? f.Times : 0);

    public void Add(Diagnostic diagnostic)
    {
        for (var i = 0; i < _found.Count; i++)
        {
            if (_found[i].Diagnostic != diagnostic) continue;
            _found[i] = (diagnostic, _found[i].Times + 1);
            return;
        }

        if (_found.Count < diagnosticsMax) _found.Add((diagnostic, 1));
        else Dropped++;
    }

    /// <summary>The worst first, one line each.</summary>
    public IEnumerable<string> Lines()
    {
        foreach (var (diagnostic, times) in _found.OrderByDescending(f => f.Diagnostic.Severity))
            yield return times == 1 ? $"{diagnostic}" : $"{diagnostic} ({times} times)";
    }

    /// <summary>
    /// One exception for all errors: the code of the first, how many there are, and each in its own words.
    /// </summary>
    public void ThrowIfErrors(string what)
    {
        if (!HasErrors) return;
        Diagnostic[] errors = [.. _found.Select(f => f.Diagnostic).Where(d => d.Severity == Severity.Error)];
        throw new DiagnosticException(errors[0].Code,
            $"{what}: {errors.Length} errors: {string.Join("; ", errors.Select(e => $"{e.Where}: {e.Text}"))}", errors);
    }
}

public sealed class DiagnosticException(ErrorCode code, string message, IReadOnlyList<Diagnostic> errors)
    : ConvoyException(code, message)
{
    public IReadOnlyList<Diagnostic> Errors { get; } = errors;
}
