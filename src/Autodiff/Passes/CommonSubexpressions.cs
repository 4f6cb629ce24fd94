using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Passes;

/// <summary>Guarantees: no two nodes apply the same operator with the same attributes to the same values.</summary>
public static class CommonSubexpressions
{
    /// <summary>The same results with fewer nodes.</summary>
    public static Graph Run(Graph graph)
    {
        var edit = new GraphEdit(graph);
        var known = new Dictionary<Key, GraphNode>();
        foreach (var node in graph.Nodes)
        {
            var key = new Key(node.Op, node.Attributes, edit.MapAll(node.Inputs.AsSpan()));
            var isLeaf = node.Op == OpTable.Input || node.Op == OpTable.Parameter;
            if (!isLeaf && known.TryGetValue(key, out var same))
            {
                edit.Replace(node, [.. same.Types.Select((_, i) => edit.Map(new ValueRef(same.Id, i)))]);
                continue;
            }

            known.TryAdd(key, node);
            edit.Copy(node);
        }

        return edit.Finish();
    }

    private readonly record struct Key(Op Op, Attributes Attributes, ValueRef[] Inputs)
    {
        public bool Equals(Key other) =>
            Op == other.Op && Attributes.Equals(other.Attributes) && Inputs.AsSpan().SequenceEqual(other.Inputs);

        public override int GetHashCode()
        {
            var hash = Attributes.GetHashCode() + Op.Name.Length;
            foreach (var input in Inputs) hash = unchecked((hash * 31) + (input.Node * 4) + input.Output);
            return hash;
        }
    }
}
