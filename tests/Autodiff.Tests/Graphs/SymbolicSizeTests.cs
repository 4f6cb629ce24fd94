using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Graphs;

/// <summary>
/// GIR-03: sizes with names in the operands of every operator, one dimension at a time and all of them: the graph is
/// refused when it is captured, or it has, for the sizes of the sample and for others, the shapes and bits of the eager
/// operator, its gradient too; also after the passes, with numbers put in, and sent as bytes.
/// </summary>
public sealed class SymbolicSizeTests
{
    private const int Every = -1; // all dimensions, equal sizes by one name

    // What a model of sequences is made of must not be refused.
    private static readonly Op[] Taken =
    [
        OpTable.Add, OpTable.Tanh, OpTable.Relu, OpTable.MatMul, OpTable.Linear, OpTable.Einsum, OpTable.Sum,
        OpTable.Mean, OpTable.Max, OpTable.Softmax, OpTable.LogSoftmax, OpTable.LayerNorm, OpTable.Transpose,
        OpTable.Concat, OpTable.Embedding, OpTable.Attention, OpTable.Where, OpTable.Variance,
        OpTable.LogSumExp, OpTable.CrossEntropy, OpTable.Tril, OpTable.CumSum, OpTable.Gather, OpTable.ScaledDotProduct,
        OpTable.BroadcastTo, OpTable.Tile, OpTable.Slice, OpTable.Split, OpTable.Unsqueeze, OpTable.TopK, OpTable.Sort,
        OpTable.MaxPool2d, OpTable.AvgPool2d, OpTable.AvgPool2dGrad, OpTable.MaxPoolNd, OpTable.AvgPoolNd,
        OpTable.AdaptiveAvgPool, OpTable.Recurrence,
    ];

    public static TheoryData<string> Names() =>
        [.. OpTable.All.Where(op => OpSamples.Of(op).Any(s => s.Inputs.Length > 0)).Select(op => op.Name)];

    // Windows depend on the sides of the images, not on how many there are.
    [Fact]
    public void ConvolutionsAndPools_TakeANamedNumberOfImages()
    {
        static Value Loss(Value x, Value w, Value b) =>
            (x.Conv2d(w, b, padding: 1).Relu().MaxPool2d(2) + x.Conv2d(w, b).AvgPool2d(2).Sum() * 0.1).Square().Sum();
        var builder = new GraphBuilder();
        var images = builder.Input("x", DType.Float64, Dim.Symbol("T"), 3, 6, 6);
        var w = builder.Parameter("w", ParameterInit.Zeros, DType.Float64, 4, 3, 3, 3);
        builder.Output("loss_sum", Loss(images, w, builder.Parameter("b", ParameterInit.Zeros, DType.Float64, 4)));
        var graph = GradientGraph.Build(PassPipeline.Forward(builder.Build()));
        foreach (var count in new[] { 1, 5 })
        {
            Variable[] bound = [.. ((int[][])[[count, 3, 6, 6], [4, 3, 3, 3], [4]]).Select(
                (dims, i) => new Variable(TestTensors.Normal((ulong)i + 1, dims), requiresGradient: i > 0))];
            var loss = (Variable)Loss(bound[0], bound[1], bound[2]);
            loss.Backward();
            var found = GraphRunner.Run(graph.WithSizes(new Dictionary<string, int> { ["T"] = count }),
                new Dictionary<string, Variable> { ["x"] = bound[0], ["w"] = bound[1], ["b"] = bound[2] });
            Assert.Equal(loss.Data.At(), found["loss_sum"].Data.At());
            Assert.Equal(bound[1].Gradient!.ToArray<double>(), found["grad:w"].Data.ToArray<double>());
            Assert.Equal(bound[2].Gradient!.ToArray<double>(), found["grad:b"].Data.ToArray<double>());
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void NamedSizes_AreRefused_OrGiveTheBitsOfEverySize(string name)
    {
        var op = OpTable.Find(name)!;
        var taken = 0;
        foreach (var sample in OpSamples.Of(op).Where(s => s.Inputs.Length > 0).Take(4))
        {
            var most = sample.Inputs.Max(t => t.Rank);
            for (var axis = Every; axis < most; axis++)
                foreach (var dynamic in new[] { false, true })
                    if (Captured(sample, axis, dynamic) is { } graph)
                    {
                        taken++;
                        foreach (var more in new[] { 0, 3 }) Check(sample, graph, axis, more);
                    }
        }

        Assert.True(taken > 0 || !Taken.Contains(op), $"{name} takes no named size");
    }

    // One dimension of the operands, or all, by names; null where the operator is refused, in a line that names it.
    private static Graph? Captured(OpSample sample, int axis, bool dynamic)
    {
        var builder = new GraphBuilder();
        try
        {
            var names = new Dictionary<int, Dim>();
            Dim Named(int size) => names.TryGetValue(size, out var known) ? known
                : names[size] = dynamic ? Dim.Dynamic : Dim.Symbol($"T{(char)('a' + names.Count)}");
            var x = new Value[sample.Inputs.Length];
            for (var i = 0; i < x.Length; i++)
            {
                Dim[] dims = [.. sample.Inputs[i].Shape.Dims.ToArray().Select((size, d) =>
                    (axis == Every || d == axis) && size > 1 ? Named(size) : new Dim(size))];
                x[i] = builder.Input($"x{i}", sample.Inputs[i].DType, dims);
                // The dimensions of one size are one dimension: as what the first input has.
                if (dynamic)
                    foreach (var (dim, size) in x[i].Type.Dims.Zip(sample.Inputs[i].Shape.Dims.ToArray()))
                        if (dim.IsDynamic) names[size] = dim;
            }

            if (names.Count == 0) return null;
            Outputs(sample, AtNames(sample.Attributes, names), x, builder.Output);
            return builder.Build();
        }
        catch (ShapeException refused)
        {
            Assert.StartsWith(sample.Op.Name, refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refused.Message);
            return null;
        }
    }

    private static void Outputs(OpSample sample, Attributes attributes, Value[] x, Action<string, Value> output)
    {
        var results = x[0].Builder.Apply(sample.Op, attributes, x);
        for (var i = 0; i < results.Length; i++) output($"y{i}", results[i]);
        if (!sample.Differentiable.Contains(0) || x[0].Type.DType != DType.Float64
            || results[0].Type.DType != DType.Float64) return;
        try
        {
            output("g", Transform.Grad(
                v => v[0].Builder.Apply(sample.Op, attributes, [.. v])[0].Square().Sum(), 0)(x));
        }
        catch (ShapeException) when (x[0] is not Variable)
        {
            // The gradient needs the number; the operator itself does not.
        }
    }

    private static void Check(OpSample sample, Graph graph, int axis, int more)
    {
        var inputs = Larger(sample, graph, more);
        var shown = $"{sample.Name}, axis {axis}, {more} more";
        var sizes = graph.SizesOf(inputs.ToDictionary(i => i.Key, i => i.Value.Shape));
        Dictionary<string, Tensor>? expected = null;
        try
        {
            expected = Eager(sample, graph, inputs, sizes);
        }
        catch (ConvoyException)
        {
            // Then no form of the graph may say something.
        }

        Graph[] forms = [graph, PassPipeline.Simplify(graph), GraphCodec.Decode(GraphCodec.Encode(graph))];
        foreach (var form in forms)
        {
            Same(expected, shown, () => form, inputs, sizes);
            Same(expected, shown, () => form.WithSizes(sizes), inputs, sizes);
        }
    }

    private static void Same(
        Dictionary<string, Tensor>? expected, string shown, Func<Graph> form, Dictionary<string, Tensor> inputs,
        IReadOnlyDictionary<string, int> sizes)
    {
        if (expected is null)
        {
            Assert.ThrowsAny<ConvoyException>(() => GraphRunner.Run(form(), Bound(inputs)));
            return;
        }

        var graph = form();
        var run = GraphRunner.Run(graph, Bound(inputs));
        foreach (var output in graph.Outputs)
        {
            var (want, got) = (expected[output.Name], run[output.Name].Data);
            var said = graph.TypeOf(output.Value).Dims.Select(d => sizes.Count == 0 ? d
                : d.Formula.With(n => sizes.TryGetValue(n, out var size) ? size : null).Size);
            Assert.True(said.SequenceEqual(want.Shape.Dims.ToArray().Select(d => new Dim(d))),
                $"{shown}: {output.Name} said {graph.TypeOf(output.Value)} for {want.Shape}");
            Assert.True(want.Shape == got.Shape, $"{shown}: {output.Name} is {got.Shape}, not {want.Shape}");
            Assert.True(Bits(want).SequenceEqual(Bits(got)), $"{shown}: {output.Name} has other bits");
        }
    }

    private static Dictionary<string, Variable> Bound(Dictionary<string, Tensor> inputs) =>
        inputs.ToDictionary(i => i.Key, i => new Variable(i.Value));

    private static Dictionary<string, Tensor> Eager(
        OpSample sample, Graph graph, Dictionary<string, Tensor> inputs, IReadOnlyDictionary<string, int> sizes)
    {
        var found = new Dictionary<string, Tensor>();
        var names = new Dictionary<int, Dim>();
        foreach (var (input, tensor) in graph.Inputs.Zip(sample.Inputs))
            for (var d = 0; d < tensor.Rank; d++)
                if (input.Type[d].IsSymbolic) names[tensor.Shape[d]] = sizes[input.Type[d].Formula.Names[0]];
        Value[] x = [.. graph.Inputs.Select(i => new Variable(inputs[i.Name]))];
        Outputs(sample, AtNames(sample.Attributes, names), x, (name, value) => found[name] = ((Variable)value).Data);
        return found;
    }

    // Shapes in the attributes follow the names of the operands.
    private static Attributes AtNames(Attributes attributes, Dictionary<int, Dim> names)
    {
        foreach (var (name, value) in attributes.Entries)
            if (value is System.Collections.Immutable.ImmutableArray<Dim> dims)
                attributes = attributes.With(
                    name, dims.Select(d => d.IsStatic && names.TryGetValue(d.Size, out var to) ? to : d).ToArray());
        return attributes;
    }

    // The operands with so many elements more wherever a size has a name: the first ones again.
    private static Dictionary<string, Tensor> Larger(OpSample sample, Graph graph, int more)
    {
        var all = new Dictionary<string, Tensor>();
        foreach (var (input, tensor) in graph.Inputs.Zip(sample.Inputs))
        {
            var shape = new Shape([.. tensor.Shape.Dims.ToArray().Select(
                (size, d) => input.Type[d].IsSymbolic ? size + more : size)]);
            var larger = Tensor.Empty(tensor.DType, shape);
            var index = new int[shape.Rank];
            for (var i = 0; i < shape.Count; i++)
            {
                var rest = i;
                for (var d = shape.Rank - 1; d >= 0; d--) (index[d], rest) = (rest % shape[d], rest / shape[d]);
                int[] from = [.. index.Select((at, d) => at % tensor.Shape[d])];
                larger.Set(tensor.At(from), index);
            }

            all.Add(input.Name, larger);
        }

        return all;
    }

    private static byte[] Bits(Tensor tensor) => tensor.DType switch
    {
        DType.Float64 => [.. tensor.ToArray<double>().SelectMany(BitConverter.GetBytes)],
        DType.Float32 => [.. tensor.ToArray<float>().SelectMany(BitConverter.GetBytes)],
        _ => [.. tensor.ToArray<int>().SelectMany(BitConverter.GetBytes)],
    };
}
