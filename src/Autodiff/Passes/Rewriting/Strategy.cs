using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Passes.Rewriting;

/// <summary>
/// Where and in which order rules are applied: a value that is replaced, or a failure that changes nothing. Strategies
/// combine; a run starts one at the graph as a whole, whose operands are the outputs.
/// </summary>
public abstract class Strategy
{
    /// <summary>The graph as a whole.</summary>
    internal static readonly ValueRef Top = new(-1, 0);

    private protected Strategy() { }

    /// <summary>Holds everywhere and changes nothing.</summary>
    public static readonly Strategy Succeed = new Step((_, at) => at);

    /// <summary>Holds nowhere.</summary>
    public static readonly Strategy Fail = new Step((_, _) => null);

    /// <summary>A rule at the value itself.</summary>
    public static implicit operator Strategy(RewriteRule rule) => FirstOf(rule);

    /// <summary>At the value itself, the first rule that holds.</summary>
    public static Strategy FirstOf(params IReadOnlyList<RewriteRule> rules)
    {
        // A rule is looked for only at the operators that its pattern can start with.
        var byOp = rules.SelectMany(r => r.Left.Roots ?? []).Distinct()
            .ToDictionary(op => op, op => rules.Where(r => r.Left.Roots?.Contains(op) != false).ToArray());
        RewriteRule[] anywhere = [.. rules.Where(r => r.Left.Roots is null)];
        return new Step((graph, at) =>
        {
            if (at == Top) return null;
            foreach (var rule in byOp.GetValueOrDefault(graph.NodeOf(at).Op, anywhere))
                if (graph.TryRule(rule, at) is { } now) return now;
            return null;
        });
    }

    /// <summary>This, then the next one at what this left; when either fails nothing has happened.</summary>
    public Strategy Then(Strategy next) => new Step((graph, at) =>
    {
        var mark = graph.Mark();
        if (Apply(graph, at) is not { } first) return null;
        if (next.Apply(graph, first) is { } second) return second;
        graph.Rollback(mark);
        return null;
    });

    /// <summary>This, or the other one where this fails.</summary>
    public Strategy Or(Strategy other) => new Step((graph, at) => Apply(graph, at) ?? other.Apply(graph, at));

    /// <summary>This where it holds; never fails.</summary>
    public Strategy Try() => Or(Succeed);

    /// <summary>This again and again until it fails or changes nothing; never fails.</summary>
    public Strategy Repeat() => new Step((graph, at) =>
    {
        while (true)
        {
            var before = graph.Applications;
            if (Apply(graph, at) is not { } now) return at;
            at = now;
            if (graph.Applications == before) return at;
        }
    });

    /// <summary>Each operand of the value; when one fails nothing has happened.</summary>
    public static Strategy All(Strategy each) => Operands(each, (held, count) => held == count, stopAtFirst: false);

    /// <summary>The first operand where it holds; fails when there is none.</summary>
    public static Strategy One(Strategy each) => Operands(each, (held, _) => held > 0, stopAtFirst: true);

    /// <summary>All operands where it holds; fails when there is none.</summary>
    public static Strategy Some(Strategy each) => Operands(each, (held, _) => held > 0, stopAtFirst: false);

    /// <summary>A strategy that is made of itself. It may go so deep and no deeper: a graph is no tree.</summary>
    public static Strategy Recursive(Func<Strategy, Strategy> body) => new Self(body);

    /// <summary>
    /// Every value from which this one is made, operands first, each once; fails when it held at none.
    /// </summary>
    public static Strategy BottomUp(Strategy each) =>
        new Step((graph, at) => Traversal.BottomUp(graph, at, each, false));

    /// <summary>The first such value, operands first, at which it holds.</summary>
    public static Strategy OnceBottomUp(Strategy each) =>
        new Step((graph, at) => Traversal.BottomUp(graph, at, each, true));

    /// <summary>
    /// This value, then those that it is made of afterwards, each once; fails when it held at none.
    /// </summary>
    public static Strategy TopDown(Strategy each) => new Step((graph, at) => Traversal.TopDown(graph, at, each, false));

    /// <summary>The first such value, results first, at which it holds.</summary>
    public static Strategy OnceTopDown(Strategy each) =>
        new Step((graph, at) => Traversal.TopDown(graph, at, each, true));

    /// <summary>
    /// Until it holds nowhere: a value is looked at when nothing is left to do in its operands, and so is what takes
    /// its place. Never fails.
    /// </summary>
    public static Strategy Innermost(Strategy each) => new Step((graph, at) => Traversal.Innermost(graph, at, each));

    /// <summary>Until it holds nowhere, each time at the first place from the results on. Never fails.</summary>
    public static Strategy Outermost(Strategy each) => OnceTopDown(each).Repeat();

    /// <summary>All places of the rules, operands first, and what comes of it, until no rule holds.</summary>
    public static Strategy Exhaustive(RuleSet set) => Innermost(FirstOf(set.Rules)).Repeat();

    /// <summary>Rounds over the whole graph until one changes nothing.</summary>
    public static Strategy FixedPoint(RuleSet set) => BottomUp(FirstOf(set.Rules)).Repeat();

    /// <summary>
    /// Always the rule of the highest priority that holds anywhere; after each application all are asked again.
    /// </summary>
    public static Strategy Prioritized(RuleSet set) => set.Rules.OrderByDescending(r => r.Priority)
        .Aggregate(Fail, (sum, rule) => sum.Or(OnceBottomUp(rule))).Repeat();

    /// <summary>The value in the place afterwards, or null: it failed and nothing has changed.</summary>
    internal abstract ValueRef? Apply(WorkingGraph graph, ValueRef at);

    private static Step Operands(Strategy each, Func<int, int, bool> holds, bool stopAtFirst) => new((graph, at) =>
    {
        var mark = graph.Mark();
        ValueRef[] operands = at == Top ? [.. graph.Outputs] : [.. graph.NodeOf(at).Inputs.Select(graph.Resolve)];
        var held = 0;
        foreach (var operand in operands)
        {
            // An operand that stands twice may have been replaced at its first place.
            if (each.Apply(graph, graph.Resolve(operand)) is null) continue;
            held++;
            if (stopAtFirst) break;
        }

        if (holds(held, operands.Length)) return at == Top ? Top : graph.Resolve(at);
        graph.Rollback(mark);
        return null;
    });

    private sealed class Step(Func<WorkingGraph, ValueRef, ValueRef?> apply) : Strategy
    {
        internal override ValueRef? Apply(WorkingGraph graph, ValueRef at) => apply(graph, at);
    }

    private sealed class Self : Strategy
    {
        // Each level takes a few frames; a thread's stack has room for several times as many.
        private const int DepthMax = 500;
        private readonly Strategy _body;
        [ThreadStatic] private static int _depth;

        public Self(Func<Strategy, Strategy> body)
        {
            _body = body(this);
        }

        internal override ValueRef? Apply(WorkingGraph graph, ValueRef at)
        {
            if (_depth >= DepthMax)
                throw new GraphException(
                    $"a strategy called itself {DepthMax} times inside itself; bottom-up and top-down go to any depth");
            _depth++;
            try
            {
                return _body.Apply(graph, at);
            }
            finally
            {
                _depth--;
            }
        }
    }
}
