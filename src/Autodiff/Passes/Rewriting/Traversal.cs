using Convoy.Autodiff.Graphs;

namespace Convoy.Autodiff.Passes.Rewriting;

/// <summary>
/// Ways through what a value is made of. A graph is no tree: a value that is read twice is visited once, and chains are
/// longer than a stack, so nothing here recurses.
/// </summary>
internal static class Traversal
{
    public static ValueRef? BottomUp(WorkingGraph graph, ValueRef at, Strategy each, bool once)
    {
        var held = false;
        foreach (var value in Upstream(graph, at))
        {
            if (each.Apply(graph, graph.Resolve(value)) is null) continue;
            held = true;
            if (once) break;
        }

        return held ? Now(graph, at) : null;
    }

    public static ValueRef? TopDown(WorkingGraph graph, ValueRef at, Strategy each, bool once)
    {
        var held = false;
        var seen = new HashSet<ValueRef>();
        var open = new Stack<ValueRef>();
        PushRoots(graph, at, open);
        while (open.TryPop(out var next))
        {
            var value = graph.Resolve(next);
            if (!seen.Add(value)) continue;
            if (each.Apply(graph, value) is { } now)
            {
                held = true;
                if (once) break;
                value = now;
                seen.Add(value);
            }

            PushOperands(graph, value, open);
        }

        return held ? Now(graph, at) : null;
    }

    public static ValueRef Innermost(WorkingGraph graph, ValueRef at, Strategy each)
    {
        var settled = new HashSet<ValueRef>();
        var open = new Stack<ValueRef>();
        PushRoots(graph, at, open);
        while (open.TryPeek(out var next))
        {
            var value = graph.Resolve(next);
            if (settled.Contains(value)) open.Pop();
            else if (FirstUnsettled(graph, value, settled) is { } operand) open.Push(operand);
            else
            {
                var before = graph.Applications;
                // What takes the place stays on the stack: its operands may be new.
                if (each.Apply(graph, value) is null || graph.Applications == before) settled.Add(value);
            }
        }

        return Now(graph, at);
    }

    private static ValueRef Now(WorkingGraph graph, ValueRef at) => at == Strategy.Top ? at : graph.Resolve(at);

    private static ValueRef? FirstUnsettled(WorkingGraph graph, ValueRef value, HashSet<ValueRef> settled)
    {
        for (var i = 0; i < graph.NodeOf(value).Inputs.Length; i++)
            if (graph.OperandOf(value, i) is var operand && !settled.Contains(operand)) return operand;
        return null;
    }

    // Values, each after its operands and once.
    private static List<ValueRef> Upstream(WorkingGraph graph, ValueRef at)
    {
        var (order, seen) = (new List<ValueRef>(), new HashSet<ValueRef>());
        var open = new Stack<(ValueRef Value, bool Entered)>();
        var roots = new Stack<ValueRef>();
        PushRoots(graph, at, roots);
        while (roots.TryPop(out var root))
        {
            open.Push((root, false));
            while (open.TryPop(out var next))
            {
                if (next.Entered) order.Add(next.Value);
                else if (seen.Add(next.Value))
                {
                    open.Push((next.Value, true));
                    for (var i = graph.NodeOf(next.Value).Inputs.Length - 1; i >= 0; i--)
                        open.Push((graph.OperandOf(next.Value, i), false));
                }
            }
        }

        return order;
    }

    // The first on top.
    private static void PushRoots(WorkingGraph graph, ValueRef at, Stack<ValueRef> open)
    {
        if (at != Strategy.Top) open.Push(at);
        else
            foreach (var output in graph.Outputs.Reverse()) open.Push(output);
    }

    private static void PushOperands(WorkingGraph graph, ValueRef value, Stack<ValueRef> open)
    {
        for (var i = graph.NodeOf(value).Inputs.Length - 1; i >= 0; i--) open.Push(graph.OperandOf(value, i));
    }
}
