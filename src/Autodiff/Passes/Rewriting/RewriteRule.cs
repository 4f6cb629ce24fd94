using System.Collections.Immutable;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Passes.Rewriting;

/// <summary>
/// A left side that is looked for and a right side that takes its place. The right side is written in operators on the
/// names of the left one, may return null where it finds that the rule does not hold, and counts only where its type is
/// that of the left side. Whether both sides are equal, and to the bit, is the author's word.
/// </summary>
/// <param name="Name">Shown in statistics and errors.</param>
/// <param name="Left">What is looked for.</param>
/// <param name="Right">What takes its place.</param>
public sealed record RewriteRule(string Name, Pattern Left, Func<RewriteMatch, Value?> Right)
{
    /// <summary>Rules of a larger number go first where a strategy looks at priorities.</summary>
    public int Priority { get; init; }

    /// <summary>
    /// A rule as text: <c>multiply(exp(a), exp(b)) => exp(add(a, b))</c>. Words are variables, words before a
    /// parenthesis operators of the table that have no constants of their own, numbers constants. Where the operators
    /// of the right side do not take the shapes, the rule does not hold. Errors point at the character.
    /// </summary>
    public static RewriteRule Parse(string text) => RuleReader.Read(text, text.Trim());

    /// <summary>A rule as text under a name of its own.</summary>
    public static RewriteRule Parse(string name, string text) => RuleReader.Read(text, name);
}

/// <summary>Rules with a name; earlier ones go first among equal priorities.</summary>
public sealed record RuleSet
{
    /// <summary>Rules of different names: statistics go by them.</summary>
    public RuleSet(string name, params ReadOnlySpan<RewriteRule> rules)
    {
        (Name, Rules) = (name, [.. rules]);
        if (Rules.GroupBy(r => r.Name).FirstOrDefault(g => g.Count() > 1)?.Key is { } twice)
            throw new GraphException($"the rules \"{name}\" have two named \"{twice}\"; statistics go by name");
    }

    /// <summary>As reports name the set.</summary>
    public string Name { get; }
    /// <summary>In the order of their priority.</summary>
    public ImmutableArray<RewriteRule> Rules { get; }

    /// <summary>The set with more rules at its end.</summary>
    public RuleSet With(params ReadOnlySpan<RewriteRule> more) => new(Name, [.. Rules, .. more]);

    /// <summary>The set without one rule; a name that it does not have is refused.</summary>
    public RuleSet Without(string rule) => Rules.Any(r => r.Name == rule)
        ? new RuleSet(Name, [.. Rules.Where(r => r.Name != rule)])
        : throw new GraphException($"the rules \"{Name}\" have none named \"{rule}\"");
}

/// <summary>What became of a rule.</summary>
/// <param name="Rule">Its name.</param>
/// <param name="Count">How often it was applied.</param>
public sealed record RuleReport(string Rule, int Count)
{
    /// <summary>How often it was looked for at a place whose operator fits.</summary>
    public int Tried { get; init; }
}
