using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>What fusion of element-wise operators did.</summary>
/// <param name="Groups">Fused operators that were made.</param>
/// <param name="Operators">Operators that went into them.</param>
/// <param name="BytesSaved">Bytes that are no longer written or read, for the largest call.</param>
public sealed record FusionReport(int Groups, int Operators, long BytesSaved);

/// <summary>
/// Element-wise operators that read each other become one operator, which runs them block by block. An operator joins
/// the group that reads its result when the shapes are the same and whatever else reads it comes after the group, which
/// then has its value as a further result; operands that are repeated over the result (scalars, rows, columns) may come
/// from outside.
/// Needs: gradients are made (the fused operator has none). Guarantees: the same bits.
/// </summary>
internal sealed class FuseElementwise
{
    private const int StepsMax = 24;
    // Each is one more stretch of memory that a block is written to.
    private const int ResultsMax = 6;
    private readonly Graph _graph;
    private readonly Placement _placement;
    private readonly List<int>[] _readers;
    private readonly int[] _groupOf;
    private readonly Dictionary<int, List<int>> _groups = []; // by the node that makes the result; nodes descend

    private FuseElementwise(Graph graph)
    {
        (_graph, _placement) = (graph, new Placement(graph));
        _readers = new List<int>[graph.Nodes.Length];
        _groupOf = new int[graph.Nodes.Length];
        Array.Fill(_groupOf, -1);
        for (var id = 0; id < _readers.Length; id++) _readers[id] = [];
        foreach (var node in graph.Nodes)
            foreach (var input in node.Inputs) _readers[input.Node].Add(node.Id);
        // An output is read by nobody here, and must be there.
        foreach (var output in graph.Outputs) _readers[output.Value.Node].Add(graph.Nodes.Length);
    }

    public static (Graph Graph, FusionReport Report) Run(Graph graph, int rows)
    {
        graph.RequireSizes("fusion of element-wise operators");
        var fusion = new FuseElementwise(graph);
        fusion.FindGroups();
        return fusion.Rewrite(rows);
    }

    private void FindGroups()
    {
        for (var id = _graph.Nodes.Length - 1; id >= 0; id--)
        {
            var node = _graph.Nodes[id];
            if (!IsFusable(node)) continue;
            var group = GroupOfReaders(node);
            if (group >= 0 && Fits(_groups[group], id)) _groups[group].Add(id);
            else _groups.Add(group = id, [id]);
            _groupOf[id] = group;
        }
    }

    private bool IsFusable(GraphNode node) =>
        node.Op is IBlockwise && node.Type.DType == DType.Float32
        && _placement.Kinds[node.Id] != ValueKind.Summed
        && node.Inputs.All(i => FusedOperand.Of(_graph.TypeOf(i), node.Type) is not null);

    // The group of the first reader: it stands where its last member stands, and other readers must come after that.
    private int GroupOfReaders(GraphNode node)
    {
        if (_readers[node.Id].Count == 0) return -1;
        var first = _readers[node.Id].Min();
        var group = first < _graph.Nodes.Length ? _groupOf[first] : -1;
        if (group < 0 || !_graph.Nodes[group].Type.Equals(node.Type)) return -1;
        foreach (var reader in _readers[node.Id])
            if (reader <= group && _groupOf[reader] != group) return -1;
        return group;
    }

    // Values of a group that something outside reads, the group's own result first.
    private List<int> ResultsOf(List<int> members) =>
        [members[0], .. members.Skip(1).Where(id => _readers[id].Any(r => !members.Contains(r)))];

    private bool Fits(List<int> members, int more)
    {
        List<int> together = [.. members, more];
        return together.Count <= StepsMax && ResultsOf(together).Count <= ResultsMax
            && OperandsOf(together).Count + RegistersOf(together) <= FusedOp.SpansMax;
    }

    private List<ValueRef> OperandsOf(List<int> members)
    {
        var operands = new List<ValueRef>();
        for (var i = members.Count - 1; i >= 0; i--)
        {
            foreach (var input in _graph.Nodes[members[i]].Inputs)
                if (!members.Contains(input.Node) && !operands.Contains(input)) operands.Add(input);
        }

        return operands;
    }

    private int RegistersOf(List<int> members) => Assign(members, ResultsOf(members), []);

    // Registers in the order of the steps; one is free after the step that reads it last, and may take its result.
    private int Assign(List<int> members, List<int> results, Dictionary<int, int> registers)
    {
        var (free, count) = (new Stack<int>(), 0);
        for (var i = members.Count - 1; i > 0; i--)
        {
            foreach (var input in _graph.Nodes[members[i]].Inputs.Distinct())
                if (registers.TryGetValue(input.Node, out var done) && _readers[input.Node].Max() == members[i])
                    free.Push(done);
            if (!results.Contains(members[i]))
                registers[members[i]] = free.TryPop(out var again) ? again : count++;
        }

        return count;
    }

    private (Graph Graph, FusionReport Report) Rewrite(int rows)
    {
        var edit = new GraphEdit(_graph);
        var (groups, operators, bytes) = (0, 0, 0L);
        foreach (var node in _graph.Nodes)
        {
            var group = _groupOf[node.Id];
            if (group < 0 || _groups[group].Count == 1) edit.Copy(node);
            else if (group == node.Id)
            {
                var members = _groups[group];
                var (operands, results) = (OperandsOf(members), ResultsOf(members));
                edit.CopyAs(node, new FusedOp(ProgramOf(members, operands, results)), Attributes.None,
                    edit.MapAll([.. operands]));
                for (var i = 1; i < results.Count; i++)
                    edit.Replace(_graph.Nodes[results[i]], edit.Map(new ValueRef(node.Id, i)));
                (groups, operators) = (groups + 1, operators + members.Count);
                bytes += members.Skip(1).Sum(id => BytesSaved(id, members, results, rows));
            }
        }

        return (edit.Finish(), new FusionReport(groups, operators, bytes));
    }

    // A value that is read outside is still written, but its readers inside find it in cache.
    private long BytesSaved(int id, List<int> members, List<int> results, int rows) =>
        _graph.Nodes[id].Type.CountAt(rows) * sizeof(float)
            * (_readers[id].Count(members.Contains) + (results.Contains(id) ? 0 : 1));

    private FusedProgram ProgramOf(List<int> members, List<ValueRef> operands, List<int> results)
    {
        var registers = new Dictionary<int, int>();
        var count = Assign(members, results, registers);
        var type = _graph.Nodes[members[0]].Type;
        var steps = new FusedStep[members.Count];
        for (var i = 0; i < steps.Length; i++)
        {
            var node = _graph.Nodes[members[^(i + 1)]];
            steps[i] = new FusedStep(
                (IBlockwise)node.Op, node.Attributes, OperandAt(node, 0), OperandAt(node, 1), OperandAt(node, 2),
                PlaceOf(new ValueRef(node.Id, 0)));
        }

        return new FusedProgram(
            string.Join("+", members.AsEnumerable().Reverse().Select(id => _graph.Nodes[id].Op.Name)),
            [.. operands.Select(o => FusedOperand.Of(_graph.TypeOf(o), type)!)], steps, count, type, results.Count);

        int OperandAt(GraphNode node, int i) => i < node.Inputs.Length ? PlaceOf(node.Inputs[i]) : FusedStep.None;

        int PlaceOf(ValueRef value) => registers.TryGetValue(value.Node, out var register) ? register
            : results.IndexOf(value.Node) is >= 0 and var result ? count + result
            : ~operands.IndexOf(value);
    }
}
