using System.Collections.Immutable;
using System.Globalization;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes.Rewriting;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Threading;

namespace Convoy.Autodiff.Passes;

/// <summary>What is done to a function of a user's own.</summary>
public sealed record FunctionOptions
{
    /// <summary>Rules of the user's own, which go first and run until none holds; null.</summary>
    public RuleSet? Rules { get; init; }

    /// <summary>
    /// Chains of products of matrices become one contraction in the cheapest order (<see cref="MergeEinsums"/>): less
    /// work, another last bit; false.
    /// </summary>
    public bool MergeContractions { get; init; }

    /// <summary>Element-wise operators run as one where no gradient is recorded; true.</summary>
    public bool FuseElementwise { get; init; } = true;

    /// <summary>
    /// Types of the operands, with names for sizes (<see cref="Dim.Symbol"/>, <see cref="Dim.Dynamic"/>): the function
    /// is written out and simplified once for all sizes, and operands that fit no size are refused. Null: once for each
    /// combination of types that comes.
    /// </summary>
    public IReadOnlyList<TensorType>? Types { get; init; }
}

/// <summary>What became of a function for operands of certain types.</summary>
/// <param name="NodesBefore">Operators and constants as the function was written.</param>
/// <param name="NodesAfter">After all passes, before fusion of element-wise operators.</param>
/// <param name="Passes">Each pass in its order, with the rules that held.</param>
/// <param name="Fusion">Element-wise operators that run as one without a gradient.</param>
/// <param name="Merged">Chains of contractions; null when they were left alone.</param>
/// <param name="Looped">Of a vectorized function: operators that are applied sample by sample.</param>
public sealed record FunctionReport(
    int NodesBefore, int NodesAfter, IReadOnlyList<PassReport> Passes, FusionReport Fusion, MergeReport? Merged,
    IReadOnlyList<string> Looped);

/// <summary>
/// A function of a user's own, written in operators, that is captured once for each combination of operand types and
/// then runs as a graph that the passes have been over: the user's rules, matrix products with their bias and
/// activation as one operator, constants, identities, common subexpressions, dead code, and element-wise operators as
/// one. The results are those of the function to the bit (but see <see cref="FunctionOptions.MergeContractions"/>), and
/// it is differentiated, transformed and captured like any expression. A function that looks at numbers is refused.
/// </summary>
public sealed class OptimizedFunction
{
    /// <summary>Combinations of types that are kept; the one unused longest goes.</summary>
    public const int CapturesMax = 16;

    private readonly Func<Value[], List<string>, Value> _function;
    private readonly FunctionOptions _options;
    private readonly OrderedLock _lock = new("captures of a function", LockRank.Leaf);
    private readonly List<Capture> _captures = [];
    private Simplified? _forAllSizes;

    private OptimizedFunction(string name, Func<Value[], List<string>, Value> function, FunctionOptions options)
    {
        (Name, _function, _options) = (name, function, options);
    }

    /// <param name="name">Named in errors.</param>
    /// <param name="function">Operands in, one result out; what it reads besides are numbers.</param>
    /// <param name="options">What is done to it.</param>
    public static OptimizedFunction Of(string name, Func<Value[], Value> function, FunctionOptions? options = null) =>
        new(name, (x, _) => function(x), options ?? new FunctionOptions());

    /// <summary>Named in errors and reports.</summary>
    public string Name { get; }

    /// <summary>
    /// The same function of many samples at once, which lie along a first dimension: each operator is applied once to
    /// all of them.
    /// </summary>
    /// <param name="shared">Per operand: true when it is the same for all samples and has no such dimension.</param>
    public OptimizedFunction Vectorized(params IReadOnlyList<bool> shared) => new(
        $"{Name}, vectorized",
        (x, looped) => Vmap.Run(
            v => [_function(v, looped)], x, [.. x.Select((_, i) => shared.ElementAtOrDefault(i) ? (int?)null : 0)],
            looped)[0],
        _options);

    /// <summary>
    /// The function at these operands, with the bits of the function itself; differentiable by the tape. Captured once
    /// for each combination of their types, <see cref="CapturesMax"/> of which are kept.
    /// </summary>
    /// <exception cref="ShapeException">The function looks at numbers, or uses values that are none of its
    /// arguments.</exception>
    public Value Apply(params Value[] inputs)
    {
        var capture = CaptureFor([.. inputs.Select(v => v.Type)]);
        // What is fused has no gradient and no place in another graph.
        var isPlain = inputs.All(v => v is Variable plain && !(plain.RequiresGradient && GradientMode.IsOn));
        return Replay(isPlain ? capture.Fused : capture.Plain, inputs);
    }

    /// <summary>What is done for operands of these types.</summary>
    public FunctionReport ReportFor(params TensorType[] types) => CaptureFor(types).Report;

    private static Value Replay(Graph graph, Value[] inputs)
    {
        var builder = inputs.MaxBy(v => v.Builder.Level)!.Builder;
        var values = new Value[graph.Nodes.Length][];
        var operand = 0;
        foreach (var node in graph.Nodes)
        {
            values[node.Id] = node.Op == OpTable.Input ? [inputs[operand++]]
                : builder.Apply(node.Op, node.Attributes, [.. node.Inputs.Select(i => values[i.Node][i.Output])]);
        }

        var result = graph.Outputs[0].Value;
        return values[result.Node][result.Output];
    }

    private Capture CaptureFor(TensorType[] types)
    {
        if (types.Length == 0) throw new ShapeException($"{Name}: takes at least one operand");
        if (Known(types, made: null) is { } known) return known;
        // Not under the lock: the function may call another such function, or this one.
        return Known(types, Make(types))!;
    }

    // The capture of these types, which is the latest in use then; else what was made, if anything was.
    private Capture? Known(TensorType[] types, Capture? made)
    {
        using var scope = _lock.Enter();
        var at = _captures.FindIndex(c => c.Types.AsSpan().SequenceEqual(types));
        var capture = at >= 0 ? _captures[at] : made;
        if (capture is null) return null;
        if (at >= 0) _captures.RemoveAt(at);
        else if (_captures.Count == CapturesMax) _captures.RemoveAt(0);
        _captures.Add(capture);
        return capture;
    }

    private Graph Written(TensorType[] types, List<string> looped)
    {
        var b = new GraphBuilder();
        var x = new Value[types.Length];
        for (var i = 0; i < x.Length; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"x{i}");
            x[i] = b.Input(name, types[i].DType, types[i].Dims.AsSpan());
        }

        try
        {
            b.Output("y", _function(x, looped));
            return b.Build();
        }
        catch (InvalidCastException e)
        {
            throw new ShapeException(
                $"{Name}: the function looks at numbers, which a graph does not have yet; write it in operators "
                + $"({e.Message})");
        }
    }

    private Capture Make(TensorType[] types)
    {
        var made = _options.Types is null ? Simplify(types) : AtSizes(types);
        var (fused, fusion) = _options.FuseElementwise ? FuseElementwise.Run(made.Graph, 1)
            : (made.Graph, new FusionReport(0, 0, 0));
        return new Capture([.. types], made.Graph, fused, new FunctionReport(
            made.NodesBefore, made.Graph.Nodes.Length - types.Length, made.Passes, fusion, made.Merged, made.Looped));
    }

    // The graph for all sizes, with those of the operands.
    private Simplified AtSizes(TensorType[] types)
    {
        var all = _forAllSizes ??= Simplify([.. _options.Types!]);
        var inputs = all.Graph.Inputs;
        if (inputs.Length != types.Length)
            throw new ShapeException($"{Name}: takes {inputs.Length} operands, not {types.Length}");
        for (var i = 0; i < types.Length; i++)
        {
            if (types[i].DType != inputs[i].Type.DType || !types[i].IsStatic)
                throw new ShapeException($"{Name}: operand {i} is {types[i]}, not {inputs[i].Type} of any fixed size");
        }

        try
        {
            return all with { Graph = all.Graph.WithSizes(DimSizes.Of(all.Graph, n => types[n.Id].AsStatic()!.Value)) };
        }
        catch (GraphException rule)
        {
            throw new ShapeException($"{Name}: {rule.Message}");
        }
    }

    private Simplified Simplify(TensorType[] types)
    {
        var looped = new List<string>();
        var written = Written(types, looped);
        GraphPass[] own = _options.Rules is { } rules ? [GraphPass.Of(rules.Name, Strategy.Exhaustive(rules))] : [];
        var (graph, reports) = PassPipeline.Run(written, [.. own, .. PassPipeline.Preparing]);
        MergeReport? merged = null;
        if (_options.MergeContractions)
        {
            (graph, merged) = MergeEinsums.Run(graph, 1);
            (graph, var after) = PassPipeline.Run(graph, PassPipeline.Simplifying);
            reports = [.. reports, .. after];
        }

        return new Simplified(graph, written.Nodes.Length - types.Length, reports, merged, looped);
    }

    private sealed record Simplified(
        Graph Graph, int NodesBefore, IReadOnlyList<PassReport> Passes, MergeReport? Merged,
        IReadOnlyList<string> Looped);

    private sealed record Capture(
        ImmutableArray<TensorType> Types, Graph Plain, Graph Fused, FunctionReport Report);
}
