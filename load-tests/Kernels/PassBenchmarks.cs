using BenchmarkDotNet.Attributes;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// TEST-10: what each pass of the graph optimizer takes alone, and all of them until nothing is left to do, on the
/// training graph of a network of <see cref="Depth"/> layers. Nothing is run: only graphs are rewritten.
/// </summary>
public class PassBenchmarks
{
    private const int Width = 32;

    private static readonly Dictionary<string, Func<Graph, int>> Calls = All();

    private Graph? _graph;
    private Func<Graph, int> _run = g => 0;

    public static IEnumerable<string> Names => Calls.Keys;

    [ParamsSource(nameof(Names))]
    public string Pass { get; set; } = "all, until settled";

    [Params(5, 20)]
    public int Depth { get; set; } = 5;

    /// <summary>Nodes of the graph that a call begins with.</summary>
    public int Nodes => _graph?.Nodes.Length ?? 0;

    [GlobalSetup]
    public void Setup()
    {
        var forward = Forward();
        // What gradients are built of is the forward graph; the other passes get what gradients leave.
        _graph = Pass switch
        {
            "gradients" or "fuse bias" => forward,
            "fuse activations" => FuseBias.Run(forward),
            _ => GradientGraph.Build(forward),
        };
        _run = Calls[Pass];
    }

    [Benchmark]
    public int Run() => _run(_graph!);

    private Graph Forward()
    {
        var builder = new GraphBuilder();
        var y = builder.Input("x", DType.Float32, Dim.Batch, Width);
        for (var i = 0; i < Depth; i++)
        {
            var w = builder.Parameter($"w{i}", ParameterInit.Zeros, Width, Width);
            // Something for every pass: a bias, an activation, an identity, an expression that is there twice,
            // one that nobody reads.
            var h = (y.Linear(w) + builder.Parameter($"b{i}", ParameterInit.Zeros, Width)).Relu();
            y = ((h * 1.0).Tanh() + h.Tanh()).Transpose().Transpose();
            _ = h.Exp();
        }

        builder.Output("loss_sum", y.Square().Sum());
        return builder.Build();
    }

    private static Dictionary<string, Func<Graph, int>> All()
    {
        var calls = new Dictionary<string, Func<Graph, int>>(StringComparer.Ordinal)
        {
            ["all, until settled"] = g => PassPipeline.Settle(g, PassPipeline.Preparing).Graph.Nodes.Length,
            ["gradients"] = g => GradientGraph.Build(g).Nodes.Length,
            ["merge einsums"] = g => MergeEinsums.Run(g, 8).Graph.Nodes.Length,
            ["fusion analysis"] = g => FusionAnalysis.Of(g, 8).Groups.Count,
        };
        foreach (var pass in PassPipeline.Preparing) calls[pass.Name] = g => pass.Run(g).Nodes.Length;
        return calls;
    }
}
