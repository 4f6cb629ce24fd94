using System.Globalization;
using Convoy.Autodiff.Graphs;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// Activation checkpointing as a rewrite of a training graph. Values of the forward pass have levels: level 0 stays in
/// memory; a value of a deeper level is computed again where the backward pass first reads it. To get a value of level
/// n, its operators are applied again from values of level n and less, which are kept from then on; deeper ones on the
/// way are made in passing and die at once (nested checkpointing, from which uniform follows with one level).
/// Guarantees: the same bits, because the same operators see the same operands; random operators are functions of a
/// counter. Run it last: the copies are equal nodes, which the search for common subexpressions would join again.
/// </summary>
internal static class Recompute
{
    /// <param name="part">The training graph and what of it is forward.</param>
    /// <param name="levels">Per node: 0 stays. Only of forward nodes that follow the batch.</param>
    /// <param name="made">Nodes of the graph that are applied again, once for each time; null: nobody asks.</param>
    public static Graph Run(ForwardPart part, int[] levels, List<int>? made = null)
    {
        var edit = new GraphEdit(part.Graph);
        var again = new Again(part, levels, edit, made);
        foreach (var node in part.Graph.Nodes)
        {
            if (part.IsForward[node.Id])
            {
                edit.Copy(node);
                continue;
            }

            var inputs = new ValueRef[node.Inputs.Length];
            for (var i = 0; i < inputs.Length; i++)
                inputs[i] = levels[node.Inputs[i].Node] == 0 ? edit.Map(node.Inputs[i]) : again.Kept(node.Inputs[i]);
            edit.CopyAs(node, node.Op, node.Attributes, inputs);
        }

        return edit.Finish();
    }

    /// <summary>The copies of forward nodes, by level.</summary>
    private sealed class Again(ForwardPart part, int[] levels, GraphEdit edit, List<int>? made)
    {
        private readonly ValueRef[]?[] _kept = new ValueRef[levels.Length][];
        private readonly Dictionary<(int Node, int Level), ValueRef[]> _passing = [];

        /// <summary>A value in the copy that stays from its first reader on.</summary>
        public ValueRef Kept(ValueRef value)
        {
            if (levels[value.Node] == 0) return edit.Map(value);
            return (_kept[value.Node] ??= Make(value.Node, levels[value.Node], ""))[value.Output];
        }

        // As it is seen while values of a level are made again.
        private ValueRef At(ValueRef value, int level)
        {
            if (levels[value.Node] <= level) return Kept(value);
            var key = (value.Node, level);
            if (!_passing.TryGetValue(key, out var made))
                _passing[key] = made =
                    Make(value.Node, level, string.Create(CultureInfo.InvariantCulture, $".{level}"));
            return made[value.Output];
        }

        private ValueRef[] Make(int id, int level, string mark)
        {
            var node = part.Graph.Nodes[id];
            made?.Add(id);
            var inputs = new ValueRef[node.Inputs.Length];
            for (var i = 0; i < inputs.Length; i++) inputs[i] = At(node.Inputs[i], level);
            var values = edit.Target.Append(node.Op, node.Attributes, inputs, $"{node.Name}.again{mark}");
            return [.. values.Select(GraphBuilder.RefOf)];
        }
    }
}
