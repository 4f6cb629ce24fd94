using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// What takes the place of an operator: its operands and attributes to its results, written in operators.
/// </summary>
public delegate IReadOnlyList<Value> FallbackRule(IReadOnlyList<Value> inputs, Attributes attributes);

/// <summary>How often something else was computed in place of an operator.</summary>
public sealed record FallbackCount(string Op, OpCategory Category, string Rule, int Times);

/// <summary>
/// What is done where an operator is unsupported (an operator of a user in a graph, batch statistics in a training
/// graph): a rule of the caller, else the formula that the operator itself is written in. Where there is neither, the
/// error stands. Rules and counts belong to this thread.
/// </summary>
public static class OperatorFallback
{
    [ThreadStatic] private static Dictionary<string, Scope?>? _rules;
    [ThreadStatic] private static List<FallbackCount>? _counts;
    [ThreadStatic] private static List<string>? _running;

    /// <summary>Until the scope is disposed, the rule is used wherever the operator is unsupported.</summary>
    public static IDisposable Use(string op, FallbackRule rule)
    {
        // First what is in use: it drops the table where the last rule was ended by another thread.
        var scope = new Scope(InUse(op), rule);
        (_rules ??= new Dictionary<string, Scope?>(StringComparer.Ordinal))[op] = scope;
        return scope;
    }

    /// <summary>
    /// Fallbacks on this thread since they were last cleared, in the order in which they first happened.
    /// </summary>
    public static IReadOnlyList<FallbackCount> Statistics => _counts ?? [];

    /// <summary>Starts the counts of this thread again.</summary>
    public static void ClearStatistics() => _counts = null;

    // A rule that applies the operator it stands for would call itself for ever; there the error stands.
    internal static bool Exists(Op op) => _running?.Contains(op.Name) != true
        && (op.HasFallback || InUse(op.Name) is not null);

    internal static Value[] Run(Op op, Attributes attributes, Value[] inputs, UnsupportedException cause)
    {
        (_running ??= []).Add(op.Name);
        try
        {
            var rule = InUse(op.Name)?.Rule;
            Count(op, rule is null ? "its formula" : "a rule of the caller");
            var results = rule is null ? op.Fallback(inputs) : rule(inputs, attributes);
            return results.Count > 0 ? [.. results] : throw OperatorStack.Carry(
                cause, new UnsupportedException($"{cause.Message}; its fallback has no result"));
        }
        finally
        {
            _running.RemoveAt(_running.Count - 1);
        }
    }

    private static void Count(Op op, string rule)
    {
        _counts ??= [];
        var at = _counts.FindIndex(c => c.Op == op.Name && c.Rule == rule);
        if (at < 0) _counts.Add(new FallbackCount(op.Name, OpCategories.Of(op), rule, 1));
        else _counts[at] = _counts[at] with { Times = _counts[at].Times + 1 };
    }

    private static Scope? InUse(string op)
    {
        if (_rules is null || !_rules.TryGetValue(op, out var top)) return null;
        var scope = ThreadScope.Innermost(ref top);
        if (scope is null) _rules.Remove(op);
        return scope;
    }

    private sealed class Scope(Scope? outer, FallbackRule rule) : ThreadScope(outer)
    {
        public FallbackRule Rule { get; } = rule;
    }
}
