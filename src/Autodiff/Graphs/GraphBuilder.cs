using System.Collections.Immutable;
using System.Globalization;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>
/// Records what a model computes. Inputs of a training graph are "x" and "y", outputs "loss_sum" (a sum over samples,
/// never a mean), "logits" and "correct"; <see cref="Build"/> returns the graph.
/// </summary>
public sealed class GraphBuilder : Builder
{
    private readonly List<GraphNode> _nodes = [];
    private readonly List<GraphOutput> _outputs = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private string _scope = "";
    private int _dynamic;

    /// <summary>A named input, such as "x" of [<see cref="Dim.Batch"/>, <c>Dim.Symbol("T")</c>, features]. Names differ
    /// from those of all other inputs and parameters.</summary>
    public Value Input(string name, DType dtype, params ReadOnlySpan<Dim> dims)
    {
        Dim[] own = dims.ToArray();
        foreach (var dim in own)
            foreach (var used in dim.Formula.Names) PassOver(used);
        for (var i = 0; i < own.Length; i++) own[i] = Numbered(own[i]);
        return Leaf(OpTable.Input, name, new TensorType(dtype, own), Attributes.None);
    }

    // Each dynamic dimension is one by itself: nothing is taken for equal to it.
    private Dim Numbered(Dim dim) => !dim.IsDynamic ? dim : dim.Formula.With(name => name == Dim.DynamicMark
        ? DimFormula.Of(string.Create(CultureInfo.InvariantCulture, $"{name}{_dynamic++}")) : null);

    // The dynamic dimension of another input, or of a graph that is captured again, keeps its number.
    private void PassOver(string name)
    {
        if (name.StartsWith(Dim.DynamicMark, StringComparison.Ordinal)
            && int.TryParse(name.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            _dynamic = Math.Max(_dynamic, number + 1);
    }

    /// <summary>A named float32 parameter of fixed shape, with the rule for its first values. The order of calls is
    /// the order of the layout of weights.</summary>
    public Value Parameter(string name, ParameterInit init, params ReadOnlySpan<int> dims) =>
        Parameter(name, init, DType.Float32, dims);

    /// <summary>A named parameter of fixed shape in float32 or float64, with the rule for its first values.</summary>
    public Value Parameter(string name, ParameterInit init, DType dtype, params ReadOnlySpan<int> dims) =>
        Parameter(name, init, dtype, Attributes.None, dims);

    internal Value Parameter(
        string name, ParameterInit init, DType dtype, Attributes more, params ReadOnlySpan<int> dims) =>
        Leaf(OpTable.Parameter, _scope + name, new TensorType(dtype, new Shape(dims)), init.Into(more));

    internal string NameOf(Value value) => _nodes[RefOf(value).Node].Name;

    /// <summary>Gives a value out under a name.</summary>
    /// <exception cref="ShapeException">Another output has the name.</exception>
    public void Output(string name, Value value)
    {
        if (_outputs.Any(o => o.Name == name)) throw new ShapeException($"two outputs are named {name}");
        _outputs.Add(new GraphOutput(name, RefOf(value)));
    }

    /// <summary>
    /// Names of parameters and nodes start with <paramref name="name"/> and a dot until it is disposed.
    /// </summary>
    public IDisposable Scope(string name)
    {
        var outer = _scope;
        _scope = $"{outer}{name}.";
        return new ScopeEnd(() => _scope = outer);
    }

    /// <summary>The graph of what was recorded so far.</summary>
    /// <exception cref="GraphException">It breaks a rule of the verifier, whose id the message starts
    /// with.</exception>
    public Graph Build()
    {
        var graph = new Graph([.. _nodes], [.. _outputs]);
        GraphVerifier.Check(graph);
        return graph;
    }

    internal int Count => _nodes.Count;

    internal GraphNode this[int id] => _nodes[id];

    internal static ValueRef RefOf(Value value) => ((NodeValue)value).Ref;

    internal Value ValueOf(ValueRef reference) =>
        new NodeValue(this, reference, _nodes[reference.Node].Types[reference.Output]);

    private protected override Value[] Record(Op op, Attributes attributes, Value[] inputs)
    {
        if (OpTable.Find(op.Name) != op)
            throw new UnsupportedException(
                $"{op.Name}: is not in the table of operators; workers know no other, so a graph cannot carry it");
        var refs = new ValueRef[inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is not NodeValue node || node.Owner != this)
                throw new ShapeException($"{op.Name}: input {i}, {inputs[i].Type}, belongs to another graph or is an "
                    + "eager variable: make it an input or a parameter of this one, or an argument of the function "
                    + "that is captured (Transform.JitOf)");
            refs[i] = node.Ref;
        }

        return Append(op, attributes, refs, null);
    }

    /// <summary>Forgets the nodes from so many on; nothing may refer to them.</summary>
    internal void TakeBack(int count) => Rollback(count);

    internal Value[] Append(Op op, Attributes attributes, ReadOnlySpan<ValueRef> inputs, string? name)
    {
        var types = new TensorType[inputs.Length];
        for (var i = 0; i < inputs.Length; i++) types[i] = _nodes[inputs[i].Node].Types[inputs[i].Output];
        return Add(op, attributes, inputs, op.Infer(attributes, types), name);
    }

    private protected override int Mark() => _nodes.Count;

    private protected override void Rollback(int mark)
    {
        for (var i = mark; i < _nodes.Count; i++) _names.Remove(_nodes[i].Name);
        _nodes.RemoveRange(mark, _nodes.Count - mark);
    }

    private Value Leaf(Op op, string name, TensorType type, Attributes attributes)
    {
        var full = attributes.With("dims", type.Dims).With("dtype", type.DType);
        return Append(op, full, [], name)[0];
    }

    private Value[] Add(Op op, Attributes attributes, ReadOnlySpan<ValueRef> inputs, TensorType[] types, string? name)
    {
        var id = _nodes.Count;
        if (id >= Limits.GraphNodesMax) throw new ShapeException($"a graph has at most {Limits.GraphNodesMax} nodes");
        name ??= FreeName(string.Create(CultureInfo.InvariantCulture, $"{_scope}{op.Name}_{id}"));
        if (!_names.Add(name)) throw new ShapeException($"two nodes are named {name}");
        _nodes.Add(new GraphNode(id, name, op, attributes, [.. inputs], [.. types]));

        var values = new Value[types.Length];
        for (var i = 0; i < types.Length; i++) values[i] = new NodeValue(this, new ValueRef(id, i), types[i]);
        return values;
    }

    // A node that a pass copied keeps its name, which may have the number of another one by now.
    private string FreeName(string name)
    {
        var free = name;
        for (var i = 2; _names.Contains(free); i++) free = string.Create(CultureInfo.InvariantCulture, $"{name}.{i}");
        return free;
    }

    private sealed class NodeValue(GraphBuilder owner, ValueRef reference, TensorType type) : Value
    {
        public GraphBuilder Owner => owner;
        public ValueRef Ref => reference;
        public override TensorType Type => type;
        internal override Builder Builder => owner;
        internal override object Identity => reference;
        public override string ToString() => $"{reference} {type}";
    }
}
