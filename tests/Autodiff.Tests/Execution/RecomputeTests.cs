using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>
/// MEM-05, MEM-06, MEM-07: activations that are computed again save memory and change no bit. MEM-06: the placement
/// that a budget asks for is searched, the best of memory and work are shown, and what steps took and hold changes the
/// choice while a program trains.
/// </summary>
public sealed class RecomputeTests
{
    private const int Rows = 12;
    private static readonly string[] Strategies =
        ["all", "uniform:2", "uniform:5", "sqrt", "nested:2", "nested:3:3", "nested:3"];

    public static TheoryData<string, string> Cases()
    {
        var data = new TheoryData<string, string>();
        foreach (var model in SmallModels.Names.Append("deep").Append("dropout"))
            foreach (var strategy in Strategies) data.Add(model, strategy);
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void EveryStrategy_KeepsTheBits(string model, string strategy)
    {
        var graph = Build(model);
        Assert.Equal(Train(graph, model, "none").Bits, Train(graph, model, strategy).Bits);
    }

    [Fact]
    public void PiecesOfADeepModel_TakeLess_AndNestedOnesLeast()
    {
        var graph = Deep(100, dropout: false);
        RecomputeReport Of(string strategy) => TrainProgram.Describe(
            graph, Rows, new CompileOptions { Recompute = RecomputeSpec.Parse(strategy, out _) }).Recompute;
        var (whole, two, root, nested) = (Of("none"), Of("uniform:2"), Of("sqrt"), Of("nested:4:3"));
        Assert.Equal(whole.PeakBytes, root.PeakBytesBefore);
        Assert.True(two.PeakBytes < whole.PeakBytes * 0.6, $"{two}");
        Assert.True(root.PeakBytes < whole.PeakBytes * 0.25, $"{root}");
        Assert.True(nested.PeakBytes < root.PeakBytes * 0.8, $"{nested} against {root}");
        // One more forward pass is a third of a step; three levels make most of it up to three times.
        Assert.True(root.ExtraShare is > 0.2 and < 0.34, $"{root}");
        Assert.True(nested.ExtraShare > root.ExtraShare && nested.ExtraShare < 1, $"{nested}");
    }

    // MEM-05: everything and nothing are the two ends of the work that is done again.
    [Fact]
    public void All_DoesMostWorkAgain_AndNoneNone()
    {
        var graph = Deep(20, dropout: false);
        RecomputeReport Of(string strategy) => TrainProgram.Describe(
            graph, Rows, new CompileOptions { Recompute = RecomputeSpec.Parse(strategy, out _) }).Recompute;
        var (none, root, all) = (Of("none"), Of("sqrt"), Of("all"));
        Assert.Equal((0, 0L), (none.Nodes, none.ExtraFlops));
        Assert.True(all.Nodes > root.Nodes && all.ExtraFlops > root.ExtraFlops, $"{all} against {root}");
        Assert.Equal(("all", "all"), (all.Strategy, all.Chosen));
    }

    [Theory]
    [InlineData(0.9)]
    [InlineData(0.6)]
    [InlineData(0.35)]
    public void ABudget_IsKept_WithTheSameBits(double share)
    {
        var graph = Build("deep");
        var whole = Train(graph, "deep", "none");
        var budget = (long)(whole.Report.PeakBytes * share);
        var (bits, report) = Train(graph, "deep", $"budget:{budget}");
        Assert.True(report.PeakBytes <= budget, $"{report.PeakBytes} of {budget}: {report.Chosen}");
        Assert.Equal(whole.Bits, bits);
    }

    [Fact]
    public void AnAmpleBudget_ComputesNothingAgain()
    {
        var report = Train(Build("deep"), "deep", "budget:1GB").Report;
        Assert.Equal((0, 0L), (report.Nodes, report.ExtraFlops));
    }

    [Fact]
    public void ABudgetThatCannotBeKept_NamesTheSmallest()
    {
        var fault = Assert.Throws<GraphException>(() => Train(Build("deep"), "deep", "budget:100"));
        Assert.Contains("smallest plan", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.95)]
    [InlineData(0.85)]
    [InlineData(0.75)]
    public void OfFewSavedValues_TheBestChoiceIsFound(double share)
    {
        // MEM-06: every subset is planned here, and the cheapest that fits takes as many operations.
        var graph = LossRows.Expose(
            PassPipeline.Run(Deep(3, dropout: false), PassPipeline.Differentiating()).Graph, keepOthers: false);
        ProgramPlan PlanOf(Graph g) => new(FuseElementwise.Run(g, Rows).Graph, Rows);
        var part = new ForwardPart(graph, LossRows.Name, Rows);
        var saved = RecomputeLevels.ByPrice(part, id => id);
        Assert.InRange(saved.Length, 5, 8);
        var budget = (long)(PlanOf(graph).Memory.TotalBytes * share);
        var best = long.MaxValue;
        for (var mask = 1; mask < 1 << saved.Length; mask++)
        {
            var made = new List<int>();
            var levels = RecomputeLevels.Drop(part, [.. saved.Where((_, i) => (mask >> i & 1) == 1)]);
            if (PlanOf(Recompute.Run(part, levels, made)).Memory.TotalBytes <= budget)
                best = Math.Min(best, made.Sum(id => part.CostOf(id).Flops));
        }

        var spec = new RecomputeSpec(RecomputeKind.Budget, BudgetBytes: budget);
        if (best == long.MaxValue) Assert.Throws<GraphException>(() => RecomputeChoice.Of(graph, spec, Rows, PlanOf));
        else Assert.Equal(best, RecomputeChoice.Of(graph, spec, Rows, PlanOf).Report.ExtraFlops);
    }

    [Fact]
    public void TheFront_TradesMemoryForWork()
    {
        // MEM-06: each choice takes less memory and more work than the one before; a budget between two takes the
        // cheaper one, or better.
        var graph = Deep(24, dropout: false);
        var front = TrainProgram.Describe(graph, Rows).RecomputeFront();
        Assert.Equal(("none", 0L), (front[0].Chosen, front[0].ExtraFlops));
        Assert.True(front.Count >= 5, $"{front.Count}");
        for (var i = 1; i < front.Count; i++)
        {
            Assert.True(front[i].PeakBytes < front[i - 1].PeakBytes, $"{front[i]}");
            Assert.True(front[i].ExtraFlops > front[i - 1].ExtraFlops, $"{front[i]}");
            if (i % 4 != 1) continue; // each budget is a search of its own
            var report = Train(graph, "deep", $"budget:{front[i].PeakBytes}").Report;
            Assert.True(report.PeakBytes <= front[i].PeakBytes, $"{report}");
            Assert.True(report.ExtraFlops <= front[i].ExtraFlops, $"{report}");
        }
    }

    [Fact]
    public void WhatStepsTake_ChangesTheChoice_WhileTheProgramTrains_AndNoBit()
    {
        // MEM-06: on this clock every operator takes as long as any other, which no count of operations says.
        var graph = Deep(24, dropout: false);
        var whole = TrainProgram.Describe(graph, Rows).Recompute.PeakBytes;
        var held = Played(graph, RecomputeSpec.None, null);
        var spec = new RecomputeSpec(RecomputeKind.Adapt, BudgetBytes: (long)(whole * 0.6) + held.BesideBytes);
        var reviews = new List<RecomputeReview>();
        var adapted = Played(graph, spec, reviews);
        Assert.Equal(held.Bits, adapted.Bits);
        Assert.Contains(reviews, r => r.Changed);
        Assert.All(reviews.Where(r => r.Changed), r => Assert.True(r.AgainMs < r.AgainMsBefore * 0.95
            || r.HeldBytes > spec.BudgetBytes, $"{r}"));
        Assert.All(reviews, r => Assert.True(r.PlannedBytes <= (whole * 0.6) + 1, $"{r}"));
        Assert.Equal(reviews.Select(r => r.ToString()), Reviews(graph, spec).Select(r => r.ToString()));
    }

    [Theory]
    [InlineData("uniform")]
    [InlineData("adapt")]
    [InlineData("adapt:0")]
    [InlineData("uniform:1")]
    [InlineData("nested:2:9")]
    [InlineData("budget:many")]
    [InlineData("budget:0")]
    [InlineData("Sqrt")]
    public void UnknownWords_BreakARule(string text)
    {
        RecomputeSpec.Parse(text, out var broken);
        Assert.NotNull(broken);
    }

    private static Graph Build(string model) => model switch
    {
        "deep" => Deep(24, dropout: false),
        "dropout" => Deep(6, dropout: true),
        _ => SmallModels.Build(model),
    };

    // Dense layers with a residual and activations that are no part of a product.
    private static Graph Deep(int layers, bool dropout)
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", DType.Float32, Dim.Batch, 16);
        for (var i = 0; i < layers; i++)
        {
            var w = graph.Parameter($"w{i}", ParameterInit.Normal(0.2), 16, 16);
            if (dropout) w = w.Apply(OpTable.Dropout, Attributes.Of("rate", 0.25, "seed", 3L).With("stream", (long)i));
            x = x + x.Linear(w).Gelu();
        }

        graph.Classify(x.Slice(1, 0, 5));
        return graph.Build();
    }

    private static List<RecomputeReview> Reviews(Graph graph, RecomputeSpec spec)
    {
        var reviews = new List<RecomputeReview>();
        Played(graph, spec, reviews);
        return reviews;
    }

    // 90 steps: two windows.
    private static (int[] Bits, long BesideBytes) Played(
        Graph graph, RecomputeSpec spec, List<RecomputeReview>? reviews)
    {
        using var program = TrainProgram.Compile(graph, Rows, new CompileOptions { Recompute = spec });
        program.Seed = 7;
        var adaptation = reviews is null ? null : new RecomputeAdaptation(program, spec, new CountingClock());
        var batch = program.CreateBatch(Rows);
        SmallModels.Fill(batch, 0, Rows, 5);
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(4, weights);
        var slices = new StepSlices(3, 0, [4, 4, 4], new SliceTree(3).Cover(0, 3));
        Memory<float>[] gradients = [.. slices.Nodes.Select(_ => new float[program.Layout.TotalLength])];
        var losses = new double[3];
        for (var step = 1; step <= 90; step++)
        {
            adaptation?.AtBoundary();
            program.Run(batch, slices, step, weights, gradients, losses, null);
            for (var i = 0; i < weights.Length; i++) weights[i] -= 1e-3f * gradients[0].Span[i];
        }

        if (adaptation is not null) reviews!.AddRange(adaptation.Reviews);
        var held = program.MemoryHeld;
        return ([.. weights.Select(BitConverter.SingleToInt32Bits)], held.SummedBytes + held.ScratchBytes);
    }

    private sealed class CountingClock : TimeProvider
    {
        private long _looks;

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => _looks++;
    }

    private static (int[] Bits, RecomputeReport Report) Train(Graph graph, string model, string strategy)
    {
        var spec = RecomputeSpec.Parse(strategy, out var broken);
        Assert.Null(broken);
        using var program = TrainProgram.Compile(graph, Rows, new CompileOptions { Recompute = spec });
        var batch = program.CreateBatch(Rows);
        SmallModels.Fill(batch, 0, Rows, SmallModels.Classes(model));
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(4, weights);
        var slices = new StepSlices(3, 0, [4, 4, 4], new SliceTree(3).Cover(0, 3));
        Memory<float>[] gradients = [.. slices.Nodes.Select(_ => new float[program.Layout.TotalLength])];
        var losses = new double[3];
        program.Run(batch, slices, 1, weights, gradients, losses, null);
        int[] bits =
        [
            .. losses.Select(l => BitConverter.SingleToInt32Bits((float)l)),
            .. gradients.SelectMany(g => g.ToArray()).Select(BitConverter.SingleToInt32Bits),
        ];
        return (bits, program.Report.Recompute);
    }
}
