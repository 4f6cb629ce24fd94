using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Graphs;

/// <summary>
/// GIR-03: one graph of a model of sequences, with a batch, places by name and a list of unknown length: run with
/// several sizes, as it is and compiled, and told in one line where sizes do not fit.
/// </summary>
public sealed class SequenceGraphTests
{
    private static readonly Dim Time = Dim.Symbol("T");

    // Attention of the places to each other and to a memory of unknown length, then the mean over the places.
    private static Graph Model(bool causal = true)
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float64, Dim.Batch, Time, 6);
        var memory = b.Input("memory", DType.Float64, Dim.Dynamic, 6);
        var w = b.Parameter("w", ParameterInit.Zeros, DType.Float64, 6, 6);
        b.Output("y", Formula(x, memory, w, causal));
        var loss = Formula(x, memory, w, causal).Square().Sum();
        b.Output("loss_sum", loss);
        return b.Build();
    }

    private static Value Formula(Value x, Value memory, Value w, bool causal)
    {
        var h = x.Linear(w).Reshape(x.Type[0], x.Type[1], 2, 3).Transpose(0, 2, 1, 3);
        h = h.ScaledDotProductAttention(h, h, causal: causal).Transpose(0, 2, 1, 3).Reshape(x.Type[0], x.Type[1], -1);
        var scores = h.Flatten2D().MatMul(memory, tb: true).Softmax();
        var read = scores.MatMul(memory).Reshape(x.Type.Dims.AsSpan());
        return (h + read).Gelu().Mean([1]);
    }

    private static Dictionary<string, Variable> Bound(int n, int t, int m) => new()
    {
        ["x"] = Numbers(1, n, t, 6), ["memory"] = Numbers(2, m, 6), ["w"] = Numbers(3, 6, 6),
    };

    private static Variable Numbers(ulong stream, params int[] dims)
    {
        var random = new RandomStream(5, RandomPurpose.TestDouble, stream);
        var shape = new Shape(dims);
        return new Variable(Tensor.Of<double>(
            [.. Enumerable.Range(0, (int)shape.Count).Select(i => random.UniformDouble(i) - 0.5)], shape), true);
    }

    private static double[] Values(Value value) => ((Variable)value).Data.ToArray<double>();

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 5, 2)]
    [InlineData(2, 9, 17)]
    [InlineData(4, 1, 3)]
    public void TwoNamesAndAnUnknownLength_GiveTheBitsOfEager_ForwardAndBackward(int n, int t, int m)
    {
        var (graph, bound) = (PassPipeline.Simplify(Model()), Bound(n, t, m));
        var training = GradientGraph.Build(Model());
        var y = Formula(bound["x"], bound["memory"], bound["w"], true);
        Assert.Equal(Values(y), Values(GraphRunner.Run(graph, bound)["y"]));
        ((Variable)y.Square().Sum()).Backward();
        Assert.Equal(bound["w"].Gradient!.ToArray<double>(), Values(GraphRunner.Run(training, bound)["grad:w"]));
    }

    [Fact]
    public void WithNumbersPutIn_ItRunsCompiled()
    {
        var training = GradientGraph.Build(Model());
        foreach (var (n, t, m) in new[] { (2, 4, 3), (3, 7, 1) })
        {
            var bound = Bound(n, t, m);
            var sizes = training.SizesOf(new Dictionary<string, Shape>
            {
                ["x"] = bound["x"].Data.Shape, ["memory"] = bound["memory"].Data.Shape,
            });
            Assert.Equal(new Dictionary<string, int> { ["?0"] = m, ["N"] = n, ["T"] = t }, sizes);
            var executor = new GraphExecutor(
                training.WithSizes(new Dictionary<string, int> { ["?0"] = m, ["T"] = t }), n);
            var run = executor.Run(bound.ToDictionary(v => v.Key, v => v.Value.Data));
            foreach (var (name, eager) in GraphRunner.Run(training, bound))
                Assert.Equal(Values(eager), run[name].ToArray<double>());
        }
    }

    [Fact]
    public void AFunctionIsWrittenOutOnce_ForAllSizes()
    {
        var calls = 0;
        var f = OptimizedFunction.Of("f", x =>
        {
            calls++;
            return Formula(x[0], x[1], x[2], false);
        }, new FunctionOptions
        {
            Types =
            [
                new(DType.Float64, Dim.Symbol("B"), Time, 6), new(DType.Float64, Dim.Dynamic, 6),
                new(DType.Float64, 6, 6),
            ],
        });
        foreach (var (n, t, m) in new[] { (2, 3, 4), (1, 8, 1), (2, 3, 4) })
        {
            var x = Bound(n, t, m);
            var y = f.Apply(x["x"], x["memory"], x["w"]);
            Assert.Equal(Values(Formula(x["x"], x["memory"], x["w"], false)), Values(y));
            using (GradientMode.Off()) Assert.Equal(Values(y), Values(f.Apply(x["x"], x["memory"], x["w"])));
        }

        Assert.Equal(1, calls);
        var wrong = Assert.Throws<ShapeException>(() => f.Apply(
            Numbers(1, 2, 3, 5), Numbers(2, 2, 6), Numbers(3, 6, 6)));
        Assert.Contains("input x0 is float64[B, T, 6], not float64[2, 3, 5]", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SizesThatDoNotFit_AreToldInOneLine()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float64, Dim.Batch, Time);
        var y = b.Input("y", DType.Float64, Time, 2 * Time);
        b.Output("z", x.MatMul(y));
        var graph = b.Build();
        string Refused(params int[] dims) => Assert.Throws<GraphException>(() => GraphRunner.Run(
            graph, new Dictionary<string, Variable> { ["x"] = Numbers(1, 3, 4), ["y"] = Numbers(2, dims) })).Message;
        Assert.Equal("input y is float64[T, 2T], not float64[5, 8], where T is 4 by input x", Refused(5, 8));
        Assert.Equal("input y is float64[T, 2T], not float64[4, 7], where T is 4 by input x", Refused(4, 7));
        Assert.Equal("input y is float64[T, 2T], not float64[4], where T is 4 by input x", Refused(4));
    }

    [Fact]
    public void WhatNeedsANumber_IsRefusedWhenItIsCaptured()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float64, Dim.Dynamic, Time, 3);
        var y = b.Input("y", DType.Float64, Dim.Dynamic, Time, 3);
        string Refused(Func<Value> f) => Assert.Throws<ShapeException>(f).Message;
        Assert.Equal("add: shapes [?0, T, 3] and [?1, T, 3] differ in a dimension that is not 1: ?0 and ?1 are the same "
            + "for some sizes only; give both one symbol", Refused(() => x + y));
        Assert.Contains("[?0, T, 3] and [?0, 3] have not the same number of elements for all sizes",
            Refused(() => x.Reshape(x.Type[0], 3)), StringComparison.Ordinal);
        Assert.StartsWith("slice: the rule needs the number of the dimension T, which is known when the graph is run",
            Refused(() => x.Slice(1, 0, 2)), StringComparison.Ordinal);
        Assert.Contains("no size stands for -1 in [4, -1]", Refused(() => x.Reshape(4, -1)), StringComparison.Ordinal);
        Assert.StartsWith("matmul: [?0, T, 3] and [?1, T, 3] have different inner dimensions 3 and T",
            Refused(() => x.MatMul(y)), StringComparison.Ordinal);
        b.Output("z", b.Input("t", DType.Float64, Time) * 2);
        b.Output("w", b.Input("w", DType.Float64, Dim.Symbol("A") * Dim.Symbol("B")));
        Assert.StartsWith("GV-8 w is float64[A*B]: no input has a dimension of A alone",
            Assert.Throws<GraphException>(b.Build).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatRunsCompiled_AsksForNumbersFirst()
    {
        var graph = Model();
        Assert.Equal("compiled program: size T, ?0 of the graph has no number; give one to Graph.WithSizes first",
            Assert.Throws<GraphException>(() => TrainProgram.Compile(graph, 4)).Message);
        Assert.Throws<GraphException>(() => new GraphExecutor(graph, 4));
        Assert.Throws<GraphException>(() => FuseElementwise.Run(graph, 4));
        Assert.Equal("the graph has no size Z: there are N, T, ?0", Assert.Throws<ShapeException>(
            () => graph.WithSizes(new Dictionary<string, int> { ["Z"] = 1 })).Message);
        Assert.Throws<ShapeException>(() => graph.WithSizes(new Dictionary<string, int> { ["T"] = -1 }));
    }

    [Fact]
    public void TablesOfNamedTensors_AreCheckedByNames()
    {
        var inputs = new TensorTable();
        foreach (var (name, variable) in Bound(2, 3, 4)) inputs.Add(name, variable.Data);
        var run = KeyedRun.Of(Model(), inputs);
        Assert.Equal(new Shape(2, 6), run.Outputs["y"].Shape);
        Assert.False(KeyedRun.OutputsOf(Model()).Check(run.Outputs).HasErrors);
    }
}
