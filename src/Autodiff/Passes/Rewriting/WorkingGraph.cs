using System.Globalization;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Passes.Rewriting;

/// <summary>
/// A graph while rules change it: nodes are added and never removed, and a value that was replaced points at its
/// successor. Every step can be taken back, so a sequence of which a part fails leaves nothing.
/// </summary>
internal sealed class WorkingGraph
{
    private readonly Graph _source;
    private readonly List<ValueRef[]?> _successors;
    private readonly List<(ValueRef Replaced, RewriteRule Rule)> _journal = [];
    private readonly RewriteOptions _options;
    private readonly List<RewriteRule> _rules = [];
    private readonly Dictionary<RewriteRule, (int Tried, int Applied)> _counts = [];
    private Dictionary<ValueRef, int>? _uses;

    public WorkingGraph(Graph source, RewriteOptions options)
    {
        (_source, _options) = (source, options);
        var edit = new GraphEdit(source);
        edit.CopyAll();
        Builder = edit.Target;
        _successors = [.. new ValueRef[source.Nodes.Length][]];
    }

    /// <summary>Everything that is or was in the graph.</summary>
    public GraphBuilder Builder { get; }

    public int Applications => _journal.Count;

    public GraphNode NodeOf(ValueRef value) => Builder[value.Node];

    public TensorType TypeOf(ValueRef value) => Builder[value.Node].Types[value.Output];

    public Value ValueOf(ValueRef value) => Builder.ValueOf(Resolve(value));

    /// <summary>What stands in the place of a value now.</summary>
    public ValueRef Resolve(ValueRef value)
    {
        while (value.Node < _successors.Count && _successors[value.Node] is { } next && next[value.Output].Node >= 0)
            value = next[value.Output];
        return value;
    }

    /// <summary>The operands of a node as they are now.</summary>
    public ValueRef OperandOf(ValueRef value, int index) => Resolve(NodeOf(value).Inputs[index]);

    /// <summary>Places where the values of the graph are asked for.</summary>
    public IEnumerable<ValueRef> Outputs => _source.Outputs.Select(o => Resolve(o.Value));

    /// <summary>The rule at a place: the value that is there afterwards, or null when it does not hold.</summary>
    public ValueRef? TryRule(RewriteRule rule, ValueRef at)
    {
        Count(rule, 1, 0);
        var match = new RewriteMatch(this, at);
        if (!rule.Left.Match(match, at, static () => true)) return null;
        var before = Builder.Count;
        var right = rule.Right(match);
        if (right is not null && right.Builder != Builder)
            throw new GraphException($"rule \"{rule.Name}\": its right side made a value of another graph");
        if (right is null || GraphBuilder.RefOf(right) is var made && (made == at || !right.Type.Equals(TypeOf(at))))
        {
            Builder.TakeBack(before);
            return null;
        }

        if (Reads(made, at, before))
            throw new GraphException($"rule \"{rule.Name}\": its right side reads the value that it replaces");
        Replace(at, made, rule);
        return Resolve(at);
    }

    public int Mark() => _journal.Count;

    /// <summary>Takes back what was done since.</summary>
    public void Rollback(int mark)
    {
        if (mark == _journal.Count) return;
        while (_journal.Count > mark)
        {
            var (replaced, rule) = _journal[^1];
            _successors[replaced.Node]![replaced.Output] = new ValueRef(-1, 0);
            Count(rule, 0, -1);
            _journal.RemoveAt(_journal.Count - 1);
        }

        _uses = null;
    }

    /// <summary>How often a value is read, by operators that are still there and as an output.</summary>
    public int UsesOf(ValueRef value) => (_uses ??= CountUses()).GetValueOrDefault(value);

    public IReadOnlyList<RuleReport> Reports() =>
    [
        .. _rules.Select(r => new RuleReport(r.Name, _counts[r].Applied) { Tried = _counts[r].Tried })
            .Where(r => r.Count > 0),
    ];

    /// <summary>
    /// Values from which the outputs are made, each after its operands; what is new stands where the old value stood.
    /// </summary>
    public List<int> Order()
    {
        var wanted = new bool[Builder.Count];
        foreach (var output in Outputs) Walk(output.Node, wanted, null);
        foreach (var leaf in _source.Inputs.Concat(_source.Parameters)) wanted[leaf.Id] = true;

        var (order, seen) = (new List<int>(), new bool[Builder.Count]);
        for (var id = 0; id < _source.Nodes.Length; id++)
        {
            for (var output = 0; output < _source.Nodes[id].Types.Length; output++)
                if (Resolve(new ValueRef(id, output)).Node is var now && wanted[now]) Walk(now, seen, order);
        }

        return order;
    }

    public Graph Finish()
    {
        var names = NamesOfNew();
        var target = new GraphBuilder();
        var values = new Value[Builder.Count][];
        foreach (var id in Order())
        {
            var node = Builder[id];
            var inputs = new ValueRef[node.Inputs.Length];
            for (var i = 0; i < inputs.Length; i++)
            {
                var now = Resolve(node.Inputs[i]);
                inputs[i] = GraphBuilder.RefOf(values[now.Node][now.Output]);
            }

            values[id] = target.Append(node.Op, node.Attributes, inputs, names(id));
        }

        foreach (var output in _source.Outputs)
            if (Resolve(output.Value) is var now) target.Output(output.Name, values[now.Node][now.Output]);
        return target.Build();
    }

    private void Replace(ValueRef old, ValueRef made, RewriteRule rule)
    {
        if (_journal.Count >= _options.ApplicationsMax) throw NoEnd();
        while (_successors.Count < Builder.Count) _successors.Add(null);
        var successors = _successors[old.Node] ??= NoSuccessors(Builder[old.Node].Types.Length);
        successors[old.Output] = made;
        _journal.Add((old, rule));
        Count(rule, 0, 1);
        _uses = null;
        if (_options.VerifyEach && GraphVerifier.FirstFault(Finish()) is { } fault)
            throw new GraphException($"after the rule \"{rule.Name}\": {fault}");
    }

    private static ValueRef[] NoSuccessors(int count)
    {
        var none = new ValueRef[count];
        Array.Fill(none, new ValueRef(-1, 0));
        return none;
    }

    private GraphException NoEnd()
    {
        var most = _rules.MaxBy(r => _counts[r].Applied)!;
        return new GraphException(
            $"rewriting found no end in {_options.ApplicationsMax} applications, {_counts[most].Applied} of them of "
            + $"the rule \"{most.Name}\": its result may fit a rule that leads back to it");
    }

    private void Count(RewriteRule rule, int tried, int applied)
    {
        if (!_counts.TryGetValue(rule, out var count)) _rules.Add(rule);
        _counts[rule] = (count.Tried + tried, count.Applied + applied);
    }

    // Only what the right side has just made can read the place: everything older was made before it.
    private bool Reads(ValueRef made, ValueRef place, int firstNew)
    {
        for (var id = firstNew; id < Builder.Count && made.Node >= firstNew; id++)
            foreach (var input in Builder[id].Inputs)
                if (input == place) return true;
        return false;
    }

    private Dictionary<ValueRef, int> CountUses()
    {
        var uses = new Dictionary<ValueRef, int>();
        foreach (var id in Order())
            foreach (var input in Builder[id].Inputs) Add(Resolve(input));
        foreach (var output in Outputs) Add(output);
        return uses;

        void Add(ValueRef value) => uses[value] = uses.GetValueOrDefault(value) + 1;
    }

    // Without recursion: chains of operators are longer than a stack.
    private void Walk(int root, bool[] seen, List<int>? order)
    {
        if (seen[root]) return;
        var open = new Stack<(int Node, int Operand)>();
        seen[root] = true;
        open.Push((root, 0));
        while (open.TryPop(out var at))
        {
            var inputs = Builder[at.Node].Inputs;
            var operand = at.Operand;
            while (operand < inputs.Length && seen[Resolve(inputs[operand]).Node]) operand++;
            if (operand == inputs.Length)
            {
                order?.Add(at.Node);
                continue;
            }

            open.Push((at.Node, operand + 1));
            var next = Resolve(inputs[operand]).Node;
            seen[next] = true;
            open.Push((next, 0));
        }
    }

    // What takes the place of a node takes its name; anything else new gets one that nothing has.
    private Func<int, string> NamesOfNew()
    {
        var taken = _source.Nodes.Select(n => n.Name).ToHashSet(StringComparer.Ordinal);
        var given = new Dictionary<int, string>();
        foreach (var node in _source.Nodes)
            if (Resolve(new ValueRef(node.Id, 0)).Node is var now && now >= _source.Nodes.Length)
                given.TryAdd(now, node.Name);
        return id =>
        {
            if (id < _source.Nodes.Length) return _source.Nodes[id].Name;
            if (given.TryGetValue(id, out var name)) return name;
            name = string.Create(CultureInfo.InvariantCulture, $"{Builder[id].Op.Name}_{id}");
            while (!taken.Add(name)) name += ".2";
            return name;
        };
    }
}
