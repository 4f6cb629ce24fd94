using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>What became of the chains of contractions of a graph; operations for the rows that were named.</summary>
public sealed record MergeReport(int Chains, int Contractions, long FlopsBefore, long FlopsAfter);

/// <summary>
/// Chains of einsum and two-dimensional matmul, each read only by the next, become one contraction of all operands in
/// the cheapest order, where that saves work. Sums are taken in another order, so the last bits of results change: no
/// worker runs this pass. Run it on a graph before it is submitted; then it is the same graph for everybody.
/// </summary>
public static class MergeEinsums
{
    // Beyond, the cheapest order is not looked for (EinsumPlan).
    private const int OperandsMax = 10;
    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /// <summary>The graph with each chain as one contraction, and what that saves.</summary>
    /// <param name="graph">A graph without gradients: they are made from the cheaper form.</param>
    /// <param name="rows">Samples of a usual batch, by which the orders are compared.</param>
    public static (Graph Graph, MergeReport Report) Run(Graph graph, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        var uses = Uses.Count(graph);
        var edit = new GraphEdit(graph);
        var chains = new Dictionary<int, Chain>();
        var inner = new HashSet<int>();
        // From the end: the last contraction of a chain takes in those before it.
        foreach (var node in graph.Nodes.Reverse())
        {
            if (inner.Contains(node.Id) || !IsContraction(graph, node)) continue;
            var chain = new Chain(graph, node, uses);
            if (chain.Operands.Count < 3 || chain.FlopsMerged(rows) >= chain.FlopsNow(rows)) continue;
            chains[node.Id] = chain;
            inner.UnionWith(chain.Members.Where(m => m != node.Id));
        }

        foreach (var node in graph.Nodes)
        {
            if (chains.TryGetValue(node.Id, out var chain))
                edit.Replace(node, GraphBuilder.RefOf(Functions.Einsum(
                    chain.Spec, [.. chain.Operands.Select(o => edit.Target.ValueOf(edit.Map(o)))])));
            else if (!inner.Contains(node.Id)) edit.Copy(node);
        }

        return (edit.Finish(), new MergeReport(chains.Count, chains.Values.Sum(c => c.Members.Count),
            chains.Values.Sum(c => c.FlopsNow(rows)), chains.Values.Sum(c => c.FlopsMerged(rows))));
    }

    private static bool IsContraction(Graph graph, GraphNode node) => node.Op == OpTable.Einsum
        || (node.Op == OpTable.MatMul && node.Inputs.All(i => graph.TypeOf(i).Rank == 2));

    // Letters of the operands and of the result of one node.
    private static (string[] Operands, string Result) SpecOf(GraphNode node)
    {
        if (node.Op == OpTable.MatMul)
            return ([node.Attributes.Flag("ta") ? "ki" : "ik", node.Attributes.Flag("tb") ? "jk" : "kj"], "ij");
        var spec = EinsumSpec.Parse(node.Attributes.Text("spec"));
        return (spec.Operands, spec.Result);
    }

    private sealed class Chain
    {
        private readonly Graph _graph;
        private readonly List<int[]> _letters = [];
        private readonly int[] _result;
        private int _fresh;

        public Chain(Graph graph, GraphNode last, int[] uses)
        {
            _graph = graph;
            _result = [.. Enumerable.Range(0, SpecOf(last).Result.Length)];
            _fresh = _result.Length;
            Take(last, _result, uses);
        }

        public List<ValueRef> Operands { get; } = [];
        public List<int> Members { get; } = [];

        public string Spec =>
            string.Join(",", _letters.Select(Written)) + "->" + Written(_result);

        private static string Written(int[] letters) => string.Concat(letters.Select(l => Letters[l]));

        // Its own letters become those that the reader has for its result; letters that it sums are new.
        private void Take(GraphNode node, int[] result, int[] uses)
        {
            Members.Add(node.Id);
            var (operands, own) = SpecOf(node);
            var names = new SortedDictionary<char, int>();
            for (var i = 0; i < own.Length; i++) names[own[i]] = result[i];
            for (var i = 0; i < operands.Length; i++)
            {
                int[] letters = [.. operands[i].Select(c => names.TryGetValue(c, out var n) ? n : names[c] = _fresh++)];
                var source = _graph.Nodes[node.Inputs[i].Node];
                if (uses[source.Id] == 1 && IsContraction(_graph, source) && HasRoomFor(source, operands.Length - i))
                    Take(source, letters, uses);
                else
                {
                    Operands.Add(node.Inputs[i]);
                    _letters.Add(letters);
                }
            }
        }

        private bool HasRoomFor(GraphNode source, int waiting)
        {
            var (operands, own) = SpecOf(source);
            var summed = operands.SelectMany(o => o).Distinct().Count(c => !own.Contains(c));
            return Operands.Count + waiting + operands.Length <= OperandsMax && _fresh + summed <= Letters.Length / 2;
        }

        public long FlopsNow(int rows) => Members.Sum(m => FlopsOf(_graph, _graph.Nodes[m], rows));

        // The contraction alone, on operands that have no cost.
        public long FlopsMerged(int rows)
        {
            var b = new GraphBuilder();
            var operands = new Value[Operands.Count];
            for (var i = 0; i < operands.Length; i++)
            {
                var type = _graph.TypeOf(Operands[i]);
                operands[i] = b.Input($"operand{i}", type.DType, type.Dims.AsSpan());
            }

            b.Output("result", Functions.Einsum(Spec, operands));
            var graph = b.Build();
            return graph.Nodes.Sum(n => FlopsOf(graph, n, rows));
        }

        private static long FlopsOf(Graph graph, GraphNode node, int rows) => node.Op.Cost(
            node.Attributes, [.. node.Inputs.Select(graph.TypeOf)], [.. node.Types], rows).Flops;
    }
}
