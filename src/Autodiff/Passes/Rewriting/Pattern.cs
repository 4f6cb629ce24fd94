using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Passes.Rewriting;

/// <summary>
/// What a place of a graph has to look like: variables, constants and operators with patterns for their operands. A
/// variable that occurs twice stands for one value. Patterns are immutable and may be used in many rules.
/// </summary>
public abstract class Pattern
{
    private protected Pattern() { }

    /// <summary>Any value, called by a name from here on; under a name that is known, the same value again.</summary>
    public static Pattern Any(string name) => new Variable(name);

    /// <summary>A constant (of any shape) that has these bits: 0 is another constant than -0.</summary>
    public static Pattern Constant(double value) =>
        Of(OpTable.Full).When(m => BitConverter.DoubleToInt64Bits(m.Number(Whole))
            == BitConverter.DoubleToInt64Bits(value), Whole);

    /// <summary>A constant of any shape and number (<see cref="RewriteMatch.Number"/>).</summary>
    public static Pattern Constant(string name) => Of(OpTable.Full).As(name);

    /// <summary>The first result of an operator with these operands: as many as it has.</summary>
    public static Pattern Of(Op op, params Pattern[] operands) => op is CompositeOp
        ? throw new UnsupportedException($"{op.Name}: is written in other operators, so no graph has it: match those")
        : new Application(op, operands);

    /// <summary>The same for an application that has no constants of its own.</summary>
    public static Pattern Plain(Op op, params Pattern[] operands) =>
        Of(op, operands).When(m => m.AttributesOf(Whole).Equals(Attributes.None), Whole);

    /// <summary>An operator that may have its two operands in either order.</summary>
    public static Pattern Commuted(Op op, Pattern a, Pattern b) => OneOf(Of(op, a, b), Of(op, b, a));

    /// <summary>The first of several that fits; if a later part of the rule then does not, the next is tried.</summary>
    public static Pattern OneOf(params Pattern[] patterns) => new Alternatives(patterns);

    /// <summary>The value that fits this pattern is called by a name from here on.</summary>
    public Pattern As(string name) => new Named(this, name);

    /// <summary>Fits where this pattern fits and the condition holds for what is known by then.</summary>
    public Pattern When(Func<RewriteMatch, bool> condition) => new Guarded(this, condition, null);

    // The name under which a guard of a part of a pattern sees that part.
    private const string Whole = "";

    private Pattern When(Func<RewriteMatch, bool> condition, string whole) => new Guarded(this, condition, whole);

    /// <summary>Operators that a value must come from, or null when any will do: what rules are sorted by.</summary>
    internal abstract IReadOnlyList<Op>? Roots { get; }

    /// <summary>
    /// Goes on with <paramref name="next"/> for each way to fit until one of them returns true. Names that were given
    /// on the way are taken back when it fails.
    /// </summary>
    internal abstract bool Match(RewriteMatch match, ValueRef value, Func<bool> next);

    private sealed class Variable(string name) : Pattern
    {
        internal override IReadOnlyList<Op>? Roots => null;

        internal override bool Match(RewriteMatch match, ValueRef value, Func<bool> next) =>
            match.Bound(name, value, next);
    }

    private sealed class Named(Pattern inner, string name) : Pattern
    {
        internal override IReadOnlyList<Op>? Roots => inner.Roots;

        internal override bool Match(RewriteMatch match, ValueRef value, Func<bool> next) =>
            inner.Match(match, value, () => match.Bound(name, value, next));
    }

    private sealed class Guarded(Pattern inner, Func<RewriteMatch, bool> condition, string? whole) : Pattern
    {
        internal override IReadOnlyList<Op>? Roots => inner.Roots;

        internal override bool Match(RewriteMatch match, ValueRef value, Func<bool> next) =>
            inner.Match(match, value, () => Holds(match, value) && next());

        private bool Holds(RewriteMatch match, ValueRef value) =>
            whole is null ? condition(match) : match.Bound(whole, value, () => condition(match), keep: false);
    }

    private sealed class Alternatives(Pattern[] patterns) : Pattern
    {
        internal override IReadOnlyList<Op>? Roots { get; } = patterns.Any(p => p.Roots is null) ? null
            : [.. patterns.SelectMany(p => p.Roots!).Distinct()];

        internal override bool Match(RewriteMatch match, ValueRef value, Func<bool> next)
        {
            foreach (var pattern in patterns)
                if (pattern.Match(match, value, next)) return true;
            return false;
        }
    }

    private sealed class Application(Op op, Pattern[] operands) : Pattern
    {
        internal override IReadOnlyList<Op> Roots { get; } = [op];

        internal override bool Match(RewriteMatch match, ValueRef value, Func<bool> next)
        {
            var node = match.Graph.NodeOf(value);
            return node.Op == op && value.Output == 0 && node.Inputs.Length == operands.Length
                && MatchOperand(match, node, 0, next);
        }

        private bool MatchOperand(RewriteMatch match, GraphNode node, int operand, Func<bool> next) =>
            operand == operands.Length ? next()
            : operands[operand].Match(match, match.Graph.Resolve(node.Inputs[operand]),
                () => MatchOperand(match, node, operand + 1, next));
    }
}

/// <summary>What the names of a pattern stand for at one place of a graph.</summary>
public sealed class RewriteMatch
{
    private readonly List<(string Name, ValueRef Value)> _names = [];

    internal RewriteMatch(WorkingGraph graph, ValueRef whole)
    {
        (Graph, Whole) = (graph, whole);
    }

    internal WorkingGraph Graph { get; }
    internal ValueRef Whole { get; }

    /// <summary>The type of the value that is to be replaced.</summary>
    public TensorType Type => Graph.TypeOf(Whole);

    /// <summary>The constants of the operator that made the value that is to be replaced.</summary>
    public Attributes Attributes => Graph.NodeOf(Whole).Attributes;

    /// <summary>The operator that made it.</summary>
    public Op Op => Graph.NodeOf(Whole).Op;

    /// <summary>A constant of the type of the value that is to be replaced.</summary>
    public Value Full(double number) => Graph.Builder.Full(number, Type);

    /// <summary>The value that a name stands for, to compute with on the right side of a rule.</summary>
    public Value this[string name] => Graph.ValueOf(Find(name));

    /// <summary>The operator that made the value.</summary>
    public Op OpOf(string name) => Graph.NodeOf(Find(name)).Op;

    /// <summary>The constants of the operator that made the value.</summary>
    public Attributes AttributesOf(string name) => Graph.NodeOf(Find(name)).Attributes;

    /// <summary>The number of a constant.</summary>
    public double Number(string name) => AttributesOf(name).Number("value", double.NaN);

    /// <summary>One operator reads the value, or it is one output of the graph.</summary>
    public bool IsUsedOnce(string name) => Graph.UsesOf(Find(name)) == 1;

    internal bool Bound(string name, ValueRef value, Func<bool> next, bool keep = true)
    {
        foreach (var known in _names)
            if (known.Name == name) return known.Value == value && next();
        _names.Add((name, value));
        var fits = next();
        // What fits to the end stays known for the right side.
        if (!fits || !keep) _names.RemoveAt(_names.Count - 1);
        return fits;
    }

    private ValueRef Find(string name)
    {
        foreach (var known in _names)
            if (known.Name == name) return known.Value;
        throw new GraphException($"a rule reads {name}, which its pattern does not name");
    }
}
