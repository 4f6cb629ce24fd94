using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>What fusion of element-wise operators did.</summary>
/// <param name="Groups">Fused operators that were made.</param>
/// <param name="Operators">Operators that went into them.</param>
/// <param name="BytesSaved">Bytes of values that are neither written nor read any more, for the largest call.</param>
public sealed record FusionReport(int Groups, int Operators, long BytesSaved);

/// <summary>
/// Trees of element-wise operators become one operator each, which runs them block by block. An operator joins the
/// group that reads its result when nothing else does and the shapes are the same; operands that are repeated over the
/// result (scalars, rows, columns) may come from outside.
/// Needs: gradients are made (the fused operator has none). Guarantees: the same bits.
/// </summary>
internal sealed class FuseElementwise
{
    private const int StepsMax = 24;
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

    private int GroupOfReaders(GraphNode node)
    {
        var group = -1;
        foreach (var reader in _readers[node.Id])
        {
            if (reader >= _graph.Nodes.Length || _groupOf[reader] < 0) return -1;
            if (group >= 0 && _groupOf[reader] != group) return -1;
            group = _groupOf[reader];
        }

        return group >= 0 && _graph.Nodes[group].Type.Equals(node.Type) ? group : -1;
    }

    private bool Fits(List<int> members, int more)
    {
        List<int> together = [.. members, more];
        return together.Count <= StepsMax
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

    private int RegistersOf(List<int> members) => Assign(members, []);

    // Registers in the order of the steps; one is free after the step that reads it last, and may take its result.
    private int Assign(List<int> members, Dictionary<int, int> registers)
    {
        var (free, count) = (new Stack<int>(), 0);
        for (var i = members.Count - 1; i > 0; i--)
        {
            foreach (var input in _graph.Nodes[members[i]].Inputs.Distinct())
                if (registers.TryGetValue(input.Node, out var done) && _readers[input.Node].Max() == members[i])
                    free.Push(done);
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
                var operands = OperandsOf(members);
                edit.CopyAs(node, new FusedOp(ProgramOf(members, operands)), Attributes.None,
                    edit.MapAll([.. operands]));
                (groups, operators) = (groups + 1, operators + members.Count);
                foreach (var id in members.Skip(1))
                    bytes += _graph.Nodes[id].Type.CountAt(rows) * sizeof(float) * (1 + _readers[id].Count);
            }
        }

        return (edit.Finish(), new FusionReport(groups, operators, bytes));
    }

    private FusedProgram ProgramOf(List<int> members, List<ValueRef> operands)
    {
        var registers = new Dictionary<int, int>();
        var count = Assign(members, registers);
        var result = _graph.Nodes[members[0]].Type;
        var steps = new FusedStep[members.Count];
        for (var i = 0; i < steps.Length; i++)
        {
            var node = _graph.Nodes[members[^(i + 1)]];
            steps[i] = new FusedStep(
                (IBlockwise)node.Op, node.Attributes, PlaceOf(node.Inputs[0]),
                node.Inputs.Length > 1 ? PlaceOf(node.Inputs[1]) : FusedStep.None,
                registers.GetValueOrDefault(node.Id, FusedStep.None));
        }

        return new FusedProgram(
            string.Join("+", members.AsEnumerable().Reverse().Select(id => _graph.Nodes[id].Op.Name)),
            [.. operands.Select(o => FusedOperand.Of(_graph.TypeOf(o), result)!)], steps, count, result);

        int PlaceOf(ValueRef value) => registers.TryGetValue(value.Node, out var register) ? register
            : ~operands.IndexOf(value);
    }
}
