using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>OPS-16: functions of users from partial derivatives; OPS-17: kinks; OPS-18: operators as packages; OPS-19:
/// sparse products.</summary>
public sealed class UserOperatorTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    private static readonly ElementwiseFunction Cube =
        ElementwiseFunction.Of("cube", x => x * x * x, x => x.Square() * 3);

    private static readonly ElementwiseFunction Mix = ElementwiseFunction.Of(
        "mix", (x, y) => (x * x * y) + Math.Sin(y), (x, y) => x * y * 2, (x, y) => x.Square() + y.Cos());

    [Fact]
    public void PartialDerivatives_MakeTheGradient()
    {
        Tensor[] at = [Tensor.Of([0.5, -1.5, 2, 0.1, 0.2, 0.3], 2, 3), Tensor.Of([1.1, 0.7, -0.4], 3)];
        Assert.All(GradCheck.Run(v => (Variable)Mix.Apply(v[0], v[1]), at),
            r => Assert.True(GradCheck.Passes(r), r.ToString()));
        Assert.All(GradCheck.Run(v => (Variable)Cube.Apply(v[0]), at[..1]),
            r => Assert.True(GradCheck.Passes(r), r.ToString()));
        Assert.Equal([2f, -2], ((Variable)ElementwiseFunction.Of("twice", x => 2 * x, x => x.Constant(2))
            .Apply(new Variable(Tensor.Of([1f, -1], 2)))).Data.ToArray<float>());
    }

    [Fact]
    public void CompositionChains_AndDifferentiatesTwice()
    {
        var chain = Mix.Then(Cube).Then(ElementwiseFunction.Of("exp", Math.Exp, x => x.Exp()));
        Assert.Equal("mix then cube then exp", chain.Name);
        Tensor[] at = [Tensor.Of([0.5, -0.3], 2), Tensor.Of([0.7, 0.4], 2)];
        Assert.All(GradCheck.Run(v => (Variable)chain.Apply(v[0], v[1]), at),
            r => Assert.True(GradCheck.Passes(r), r.ToString()));
        var x = Of(2);
        var first = Differentiate.Gradient([(Variable)Cube.Apply(x)], [x], createGraph: true)[0];
        Assert.Equal(12, Differentiate.Gradient([first], [x])[0].Data.At(0), 12);
        Assert.Throws<ShapeException>(() => Cube.Then(Mix));
        Assert.Throws<ShapeException>(() => Mix.Apply(x));
        Assert.Throws<ShapeException>(() => Cube.Apply(new Variable(Tensor.Zeros(DType.Int32, 1))));
    }

    [Fact]
    public void SeveralPartials_AndCompositesOfSeveralFunctions_GiveTheGradient()
    {
        // OPS-16: f(x, y, z) = x y + sin z, and mix(f, g) where both see all three operands.
        var f = ElementwiseFunction.Of("f", v => (v[0] * v[1]) + Math.Sin(v[2]), v => v[1] + (v[0] * 0), v => v[0] + 0,
            v => v[2].Cos());
        var g = ElementwiseFunction.Of("g", v => v[0] - (v[1] * v[2]), v => v[0].Constant(1), v => -v[2], v => -v[1]);
        var both = Mix.After(f, g).Then(Cube);
        Assert.Equal((3, "mix after (f, g) then cube"), (both.Operands, both.Name));
        Tensor[] at = [Tensor.Of([0.5, -0.4, 0.3, 0.2, 0.7, -0.6], 2, 3), Tensor.Of([0.9, -0.2, 0.4], 3),
            Tensor.Of([0.3, 0.8], 2, 1)];
        Assert.All(GradCheck.Run(v => (Variable)both.Apply(v[0], v[1], v[2]), at),
            r => Assert.True(GradCheck.Passes(r), r.ToString()));
        Assert.Throws<ShapeException>(() => Mix.After(f));
        Assert.Throws<ShapeException>(() => Mix.After(f, Cube));
        Assert.Throws<ArgumentException>(() => ElementwiseFunction.Of("none", _ => 0));
    }

    [Theory]
    [InlineData(KinkRule.Left, -1, 0, 0, 1)]
    [InlineData(KinkRule.Right, 1, 1, 1, 0)]
    [InlineData(KinkRule.Middle, 0, 0.5, 0.5, 0.5)]
    [InlineData(KinkRule.LeastNorm, 0, 0, 0.5, 0.5)]
    public void KinkRules_ChooseTheSlope(KinkRule rule, double abs, double relu, double first, double second)
    {
        double[] Slopes(Func<Value, Value> f, params double[] at)
        {
            var x = Of(at);
            ((Variable)f(x).Sum()).Backward();
            return x.Gradient!.ToArray<double>();
        }

        using (Subgradients.Use(rule))
        {
            Assert.Equal([-1, abs, 1], Slopes(x => x.Abs(), -2, 0, 2));
            Assert.Equal([-1, abs, 1], Slopes(x => x.Norm(p: 1), -2, 0, 2));
            Assert.Equal([0, relu, 1], Slopes(x => x.Relu(), -2, 0, 2));
            foreach (var choice in new Func<Value, Value, Value>[] { (a, b) => a.Maximum(b), (a, b) => a.Minimum(b) })
            {
                Assert.Equal([first], Slopes(x => choice(x, new Variable(Tensor.Of([3.0], 1))), 3));
                Assert.Equal([second], Slopes(x => choice(new Variable(Tensor.Of([3.0], 1)), x), 3));
            }

            Assert.Equal([1, 0], Slopes(x => x.Maximum(new Variable(Tensor.Of([3.0, 3], 2))), 4, 2));
        }

        Assert.Equal([-1, 0, 1], Slopes(x => x.Abs(), -2, 0, 2));
    }

    private static OperatorPackage Gate() => OperatorPackage.Of(
        "gate", [new TensorType(DType.Float64, Dim.Batch, 4), new TensorType(DType.Float64, 4, 4)],
        x =>
        {
            var h = x[0].MatMul(x[1]);
            return [(h.Sigmoid() * x[0]) + 0.5, h.Reshape([new Dim(4, true)])];
        });

    [Fact]
    public void APackage_IsLoadedElsewhere_AndGivesTheSameBits()
    {
        var bytes = Gate().Encode();
        var library = new OperatorLibrary();
        library.Load(bytes);
        Assert.Equal(["gate"], library.Names);
        Assert.Equal(bytes, library["gate"].Encode());
        Tensor[] at = [Tensor.Of(Enumerable.Range(0, 12).Select(i => i * 0.1).ToArray(), 3, 4),
            Tensor.Ones(DType.Float64, 4, 4)];
        Value[] operands = [new Variable(at[0]), new Variable(at[1])];
        var (here, there) = (Gate().Apply(operands), library["gate"].Apply(operands));
        for (var i = 0; i < 2; i++)
            Assert.Equal(((Variable)here[i]).Data.ToArray<double>(), ((Variable)there[i]).Data.ToArray<double>());
        Assert.Equal(new Shape(12), ((Variable)there[1]).Data.Shape);
        Assert.All(GradCheck.Run(v => (Variable)library["gate"].Apply(v[0], v[1])[0], at),
            r => Assert.True(GradCheck.Passes(r), r.ToString()));
    }

    [Fact]
    public void APackage_GoesIntoAGraph_AndFollowsItsBatch()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float64, new Dim(3, true), 4);
        var results = Gate().Apply(x, b.Parameter("w", ParameterInit.Ones, DType.Float64, 4, 4));
        b.Output("y", results[0]);
        Assert.Equal("[12N]", results[1].Type.Text);
        var data = Tensor.Of(Enumerable.Range(0, 12).Select(i => i * 0.1).ToArray(), 3, 4);
        var w = Tensor.Ones(DType.Float64, 4, 4);
        var bound = new Dictionary<string, Variable> { ["x"] = new(data), ["w"] = new(w) };
        Assert.Equal(
            ((Variable)Gate().Apply(new Variable(data), new Variable(w))[0]).Data.ToArray<double>(),
            GraphRunner.Run(b.Build(), bound)["y"].Data.ToArray<double>());
    }

    private static OperatorPackage Steps() => OperatorPackage.Of(
        "steps", [new TensorType(DType.Float64, Dim.Batch, 2)],
        [new OperatorSetting("size", 0.5), new OperatorSetting("slope", 1)],
        (x, s) => [(x[0] / s[0]).Round() * s[0]]);

    [Fact]
    public void OnePackage_MakesAFamilyOfOperators()
    {
        // OPS-18: the factory. What it makes travels like any package.
        var library = new OperatorLibrary();
        library.Load(Steps().Encode());
        double[] At(OperatorPackage p) =>
            ((Variable)p.Apply(new Variable(Tensor.Of([0.3, 1.1], 1, 2)))[0]).Data.ToArray<double>();
        Assert.Equal([0.5, 1], At(library["steps"]));
        var coarse = library.Create("steps", new OperatorSetting("size", 2));
        Assert.Equal([0, 2], At(coarse));
        Assert.Equal([0, 2], At(OperatorPackage.Decode(coarse.Encode())));
        Assert.Equal([("size", 2.0), ("slope", 1)], coarse.Settings.Select(s => (s.Name, s.Value)));
        Assert.Contains("there are size, slope", Assert.Throws<GraphException>(
            () => library.Create("steps", new OperatorSetting("width", 2))).Message);
        Assert.Throws<GraphFormatException>(() => Steps().With(new OperatorSetting("size", double.NaN)));
        var b = new GraphBuilder();
        b.Output("y", coarse.Apply(b.Input("x", DType.Float64, Dim.Batch, 2))[0]);
        Assert.Equal([0, 2], GraphRunner.Run(b.Build(), new Dictionary<string, Variable>
        {
            ["x"] = new(Tensor.Of([0.3, 1.1], 1, 2)),
        })["y"].Data.ToArray<double>());
    }

    [Fact]
    public void AGradientOfItsAuthor_TravelsWithThePackage()
    {
        // OPS-18: a step function whose gradient passes straight through, times a setting.
        var package = OperatorPackage.Decode(
            Steps().WithGradient(g => [g.Gradient * g.Settings[1]]).With(new OperatorSetting("slope", 3)).Encode());
        var x = new Variable(Tensor.Of([0.3, 1.1], 1, 2), requiresGradient: true);
        var y = (Variable)package.Apply(x)[0];
        Assert.Equal([0.5, 1], y.Data.ToArray<double>());
        ((Variable)(y * y).Sum()).Backward();
        Assert.Equal([3, 6], x.Gradient!.ToArray<double>());
        Assert.Throws<GraphFormatException>(() => Steps().WithGradient(g => [g.Gradient.Sum()]));
        Assert.Throws<GraphFormatException>(() => Steps().WithGradient(_ => []));
        Assert.Throws<GraphFormatException>(() => Gate().WithGradient(g => [g.Gradient, g.Gradient]));
    }

    // h = round(x w) with a slope of tanh, its weight summed over the batch by the author's rule.
    private static OperatorPackage Rounded() => OperatorPackage.Of(
        "rounded", [new TensorType(DType.Float32, Dim.Batch, 3), new TensorType(DType.Float32, 3, 4)],
        [new OperatorSetting("slope", 0.5)], (x, s) => [(x[0].MatMul(x[1]) / s[0]).Round() * s[0]])
        .WithGradient(g =>
        {
            var inner = g.Operands[0].MatMul(g.Operands[1]);
            var d = g.Gradient * (inner.Tanh().Square().OneMinus() + (g.Result.Abs() * g.Settings[0]));
            return [d.MatMul(g.Operands[1].Transpose()), g.Operands[0].Transpose().MatMul(d)];
        });

    private static Graph WithRounded()
    {
        var b = new GraphBuilder();
        var w = b.Parameter("w", ParameterInit.Normal(0.7), 3, 4);
        var v = b.Parameter("v", ParameterInit.Normal(0.7), 2, 4);
        var h = Rounded().With(new OperatorSetting("slope", 0.25)).Apply(b.Input("x", DType.Float32, Dim.Batch, 3), w)[0];
        var logits = (h + h.Tanh()).Linear(v);
        b.Output("logits", logits);
        b.Output("loss_sum", logits.Square().Sum());
        return b.Build();
    }

    [Fact]
    public void AGradientOfItsAuthor_GoesIntoGraphs_AndAllWorkersHaveTheBitsOfTheTape()
    {
        // OPS-18: the graph travels with its package, is compiled, and one worker or three compute what the tape does.
        var graph = GraphCodec.Decode(GraphCodec.Encode(WithRounded()));
        Assert.Contains(graph.Nodes, n => n.Op == OpTable.Packaged);
        float[] x = [.. Enumerable.Range(0, 36).Select(i => MathF.Sin(i * 0.7f) * 1.5f)];
        float[] weights = [];
        int[] at = [];
        float[][] Compiled(params int[] cuts)
        {
            var tree = new SliceTree(4);
            var nodes = new Dictionary<TreeNode, float[]>();
            for (var k = 0; k + 1 < cuts.Length; k++)
            {
                using var program = TrainProgram.Compile(graph, 12);
                var cover = tree.Cover(cuts[k], cuts[k + 1]);
                var batch = program.CreateBatch(12);
                var rows = (cuts[k + 1] - cuts[k]) * 3;
                batch.Rows = rows;
                x.AsSpan(cuts[k] * 9, rows * 3).CopyTo(batch.Floats("x"));
                weights = new float[program.Layout.TotalLength];
                program.Initialize(5, weights);
                at = [.. program.Layout.Slots.Select(s => (int)s.Offset)];
                Memory<float>[] sums = [.. cover.Select(_ => new float[weights.Length].AsMemory())];
                var share = new StepSlices(4, cuts[k], [.. Enumerable.Repeat(3, cuts[k + 1] - cuts[k])], cover);
                program.Run(batch, share, 1, weights, sums, new double[cuts[k + 1] - cuts[k]], null);
                for (var i = 0; i < cover.Length; i++) nodes.Add(cover[i], sums[i].ToArray());
            }

            float[] Sum(TreeNode n) => nodes.TryGetValue(n, out var known) ? known
                : [.. Sum(n.Left).Zip(Sum(n.Right), (a, b) => a + b)];
            return [Sum(tree.Root)];
        }

        var one = Compiled(0, 4)[0];
        Assert.Equal(one, Compiled(0, 1, 2, 4)[0]);
        Assert.Contains(one, g => g != 0);
        // The tape, slice by slice in the order of the tree.
        float[] Tape(int slice)
        {
            var bound = new Dictionary<string, Variable>
            {
                ["x"] = new(Tensor.Of<float>(x.AsSpan(slice * 9, 9), new Shape(3, 3))),
                ["w"] = new(Tensor.Of<float>(weights.AsSpan(at[0], 12), new Shape(3, 4)), true),
                ["v"] = new(Tensor.Of<float>(weights.AsSpan(at[1], 8), new Shape(2, 4)), true),
            };
            var h = (Variable)Rounded().With(new OperatorSetting("slope", 0.25)).Apply(bound["x"], bound["w"])[0];
            ((Variable)(h + h.Tanh()).Linear(bound["v"]).Square().Sum()).Backward();
            return [.. bound["w"].Gradient!.ToArray<float>(), .. bound["v"].Gradient!.ToArray<float>()];
        }

        float[] Add(float[] a, float[] b) => [.. a.Zip(b, (p, q) => p + q)];
        float[] compiled = [.. one.AsSpan(at[0], 12), .. one.AsSpan(at[1], 8)];
        Assert.Equal(Add(Add(Tape(0), Tape(1)), Add(Tape(2), Tape(3))), compiled);
    }

    [Fact]
    public void AGradientOfItsAuthor_IsDifferentiatedAgain_AndRunsForManySamples()
    {
        // OPS-18: the rule is 3 d, twice over: of y² it makes 6 y, and of that 18.
        var cube = OperatorPackage.Of("steep", [new TensorType(DType.Float64, 2)], x => [x[0] * 1])
            .WithGradient(g => [g.Gradient * g.Result * 3]);
        var x = Of(0.5, 2);
        var first = Differentiate.Gradient([(Variable)cube.Apply(x)[0].Sum()], [x], createGraph: true)[0];
        Assert.Equal([1.5, 6], first.Data.ToArray<double>());
        Assert.Equal([4.5, 18], Differentiate.Gradient([(Variable)first.Sum()], [x])[0].Data.ToArray<double>());
        var rows = new Variable(TestTensors.Normal(3, 4, 2), requiresGradient: true);
        var all = (Variable)Vmap.Run(v => cube.Apply(v[0])[0].Sum(), [rows]);
        ((Variable)all.Sum()).Backward();
        Assert.Equal(rows.Data.ToArray<double>().Select(v => v * 3), rows.Gradient!.ToArray<double>());
    }

    [Theory]
    [InlineData("")]
    [InlineData("QUJD")]
    [InlineData("no base64!")]
    public void APackageThatIsNone_IsRefusedWhereItIsApplied(string text) => Assert.Contains(
        "packaged: its package cannot be read", Assert.Throws<ShapeException>(
            () => Of(1).Builder.Apply(OpTable.Packaged, Attributes.Of("package", text), [Of(1), Of(1)])).Message);

    [Fact]
    public void DamagedPackages_AreRefused()
    {
        var bytes = Gate().Encode();
        for (var i = 0; i < bytes.Length; i++)
        {
            var damaged = bytes.ToArray();
            damaged[i] ^= 0x10;
            Assert.Throws<GraphFormatException>(() => OperatorPackage.Decode(damaged));
            Assert.Throws<GraphFormatException>(() => OperatorPackage.Decode(bytes.AsSpan(0, i)));
        }
    }

    [Fact]
    public void PackagesThatCannotBe_AreRefused()
    {
        var type = new TensorType(DType.Float64, 2);
        Assert.Throws<GraphFormatException>(() => OperatorPackage.Of("exp", [type], x => [x[0]]));
        Assert.Throws<GraphFormatException>(() => OperatorPackage.Of("none", [type], _ => []));
        Assert.Throws<GraphFormatException>(() => OperatorPackage.Of("own", [type],
            x => [x[0] + ((GraphBuilder)x[0].Builder).Parameter("w", ParameterInit.Zeros, DType.Float64, 2)]));
        Assert.Throws<ShapeException>(() => Gate().Apply(Of(1, 2)));
        Assert.Throws<ShapeException>(() => Gate().Apply(Of(1, 2), Of(1, 2)));
        var library = new OperatorLibrary();
        library.Add(Gate());
        Assert.Throws<GraphException>(() => library.Add(Gate()));
        Assert.Throws<GraphException>(() => library["other"]);
    }

    [Fact]
    public void SparseProducts_EqualDenseOnes_WithTheirGradients()
    {
        Value rows = new Variable(Tensor.Of([0, 2, 2, 0], 4)), columns = new Variable(Tensor.Of([1, 0, 3, 1], 4));
        Tensor[] at = [Tensor.Of([2.0, -1, 0.5, 3], 4),
            Tensor.Of(Enumerable.Range(1, 8).Select(i => i * 0.3).ToArray(), 4, 2)];
        Value y = Functions.SparseMatMul(new Variable(at[0]), rows, columns, 3, new Variable(at[1]));
        var dense = new Variable(Tensor.Of([0.0, 5, 0, 0, 0, 0, 0, 0, -1, 0, 0, 0.5], 3, 4));
        Assert.Equal(((Variable)dense.MatMul(new Variable(at[1]))).Data.ToArray<double>()
            .Select(v => Math.Round(v, 12)),
            ((Variable)y).Data.ToArray<double>().Select(v => Math.Round(v, 12)));
        Assert.All(GradCheck.Run(v => (Variable)Functions.SparseMatMul(v[0], rows, columns, 3, v[1]), at),
            r => Assert.True(GradCheck.Passes(r), r.ToString()));
        Assert.Throws<ShapeException>(() =>
            Functions.SparseMatMul(new Variable(at[0]), rows, rows.Slice(0, 0, 2), 3, new Variable(at[1])));
    }

    [Fact]
    public void TheMatrixLogarithm_UndoesTheExponential_AndAnswersForLargeAndTurningMatrices()
    {
        foreach (var a in new[]
        {
            Tensor.Of([0.3, 1.2, -0.7, 0.1], 2, 2), Tensor.Of([0.0, -2.5, 2.5, 0], 2, 2),
            Tensor.Of([8.0, 1, 0, 0, -9, 2, 0, 0, 0.5], 3, 3),
        })
        {
            var back = ((Variable)new Variable(a).MatrixExp().MatrixLog()).Data;
            Assert.All(a.ToArray<double>().Zip(back.ToArray<double>()), p => Assert.Equal(p.First, p.Second, 8));
        }

        Assert.Equal(Math.Log(7), ((Variable)new Variable(Tensor.Of([7.0], 1, 1)).MatrixLog()).Data.At(0, 0), 13);
        foreach (var none in new[] { Tensor.Of([-1.0, 0, 0, 1], 2, 2), Tensor.Zeros(DType.Float64, 2, 2),
            Tensor.Of([double.NaN], 1, 1) })
            Assert.All(((Variable)new Variable(none).MatrixLog()).Data.ToArray<double>(),
                v => Assert.True(double.IsNaN(v)));
    }

    [Fact]
    public void AFormulaThatLooksAtNumbers_IsNoPackage()
    {
        // OPS-18
        var refused = Assert.Throws<GraphFormatException>(() => OperatorPackage.Of(
            "peek", [new TensorType(DType.Float64, 3)], x => [((Variable)x[0]).Data.At(0) > 0 ? x[0] : -x[0]]));
        Assert.Contains("peek: its formula looks at numbers", refused.Message, StringComparison.Ordinal);
    }
}
