using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>MEM-05, HO-02: what is kept of a chain, and that nothing else of it changes.</summary>
public sealed class CheckpointTests
{
    private const int Bytes = 100 * sizeof(double);

    // Five results a link.
    private static FunctionChain Chain(int links) => new(
        [.. Enumerable.Range(0, links).Select(
            _ => (Func<Value, Value>)(v => (v.Sin() * v.Exp()).Tanh() + v))]);

    private static VjpResult Run(VjpStrategy strategy, int links) =>
        strategy.Run(Chain(links), TestTensors.Normal(1, 100), TestTensors.Normal(2, 100));

    [Fact]
    public void EveryWay_HasTheSameBits()
    {
        var whole = Run(VjpStrategy.Standard, 10);
        VjpStrategy[] ways =
        [
            VjpStrategy.Checkpointed, VjpStrategy.Pieces(), VjpStrategy.Pieces(1), VjpStrategy.Pieces(3),
            VjpStrategy.Pieces(99), VjpStrategy.Adaptive(), VjpStrategy.Adaptive(3 * Bytes),
        ];
        foreach (var way in ways)
        {
            var found = Run(way, 10);
            Assert.Equal(whole.Value.ToArray<double>(), found.Value.ToArray<double>());
            Assert.Equal(whole.Gradients[0].ToArray<double>(), found.Gradients[0].ToArray<double>());
        }
    }

    [Fact]
    public void APieceAndWhatEntersTheOthers_AreKept()
    {
        // A tape: x and five results a link.
        Assert.Equal((1 + (5 * 16)) * Bytes, Run(VjpStrategy.Standard, 16).KeptBytes);
        Assert.Equal((16 + 5) * Bytes, Run(VjpStrategy.Checkpointed, 16).KeptBytes);
        Assert.Equal((4 + (5 * 4)) * Bytes, Run(VjpStrategy.Pieces(), 16).KeptBytes);
        Assert.Equal((2 + (5 * 8)) * Bytes, Run(VjpStrategy.Pieces(2), 16).KeptBytes);
        Assert.Equal(Run(VjpStrategy.Standard, 16).KeptBytes, Run(VjpStrategy.Pieces(1), 16).KeptBytes);
        // Four times the links, twice the memory.
        Assert.Equal((8 + (5 * 8)) * Bytes, Run(VjpStrategy.Pieces(), 64).KeptBytes);
        Assert.Equal(0, Run(VjpStrategy.Pieces(), 0).KeptBytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => VjpStrategy.Pieces(-1));
    }

    [Fact]
    public void ABudget_IsKeptWhileTheTapeGrows()
    {
        var applied = 0;
        Value Counted(Value v)
        {
            applied++;
            return v.Sin();
        }

        var counting = new FunctionChain([.. Enumerable.Repeat<Func<Value, Value>>(Counted, 20)]);
        var (x, u) = (TestTensors.Normal(1, 100), TestTensors.Normal(2, 100));
        var result = VjpStrategy.Adaptive(5 * Bytes).Run(counting, x, u);
        // x and four links fit; the fifth is one too many, and no link after it was recorded in vain.
        Assert.Equal($"checkpointed: a tape of {6 * Bytes} bytes is over {5 * Bytes}", result.Strategy);
        Assert.Equal(5 + 20 + 20, applied);
        Assert.Equal(21 * Bytes, VjpStrategy.Adaptive().Run(counting, x, u).KeptBytes);
    }

    // A chain whose links read weights; each weight by one link, and the last one by all.
    private sealed class Weighted
    {
        public Variable X { get; } = new(TestTensors.Normal(1, 4, 6), requiresGradient: true);
        public Variable[] W { get; } =
            [.. Enumerable.Range(2, 5).Select(i => new Variable(TestTensors.Normal((ulong)i, 6, 6), true))];

        public List<string> Hooked { get; } = [];

        public FunctionChain Chain =>
            new([.. Enumerable.Range(0, 4).Select(i => (Func<Value, Value>)(v => Link(v, i)))]);

        public double[][] Gradients(Func<Value, Value> f)
        {
            ((Variable)f(X).Square().Sum()).Backward();
            return [.. W.Append(X).Select(v => v.Gradient!.ToArray<double>())];
        }

        private Value Link(Value v, int i)
        {
            var h = (Variable)v.MatMul(W[i]).Tanh();
            h.OnGradient(g =>
            {
                Hooked.Add($"h{i}");
                return g;
            });
            return h * W[4].Sum([0]).Sigmoid();
        }
    }

    // MEM-05: variables that links read have their gradients, in one piece, several, and pieces of pieces.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(-1)]
    public void VariablesThatAPieceReads_HaveTheirGradients(int pieces)
    {
        var (plain, kept) = (new Weighted(), new Weighted());
        var expected = plain.Gradients(plain.Chain.Of);
        var nested = new FunctionChain(x => kept.Chain.Checkpointed(x, 4), x => x);
        var found = kept.Gradients(x => pieces < 0 ? nested.Checkpointed(x, 1) : kept.Chain.Checkpointed(x, pieces));
        for (var i = 0; i < expected.Length; i++)
        {
            // What several pieces read is added up piece by piece: another last bit.
            if (i == 4) Assert.All(expected[i].Zip(found[i]), p => Assert.Equal(p.First, p.Second, 12));
            else Assert.Equal(expected[i], found[i]);
        }

        Assert.Equal(["h3", "h2", "h1", "h0"], plain.Hooked);
        Assert.Equal(plain.Hooked, kept.Hooked);
    }

    [Fact]
    public void HooksOfWhatEnters_SeeTheWholeGradientOnce()
    {
        var kept = new Weighted();
        var (calls, norm) = (0, 0.0);
        kept.W[4].OnGradient(g =>
        {
            calls++;
            norm = g.Data.ToArray<double>().Sum(Math.Abs);
            return (Variable)(g * 2.0);
        });
        var found = kept.Gradients(x => kept.Chain.Checkpointed(x, 4));
        Assert.Equal(1, calls);
        Assert.Equal(2 * norm, found[4].Sum(Math.Abs), 12);
    }

    [Fact]
    public void DerivativesOfACheckpointedChain_AreOfAnyOrder_AndEitherMode()
    {
        var w = new Weighted();
        Variable F(Func<FunctionChain, Value, Value> way, Variable x) => (Variable)way(w.Chain, x).Square().Sum();
        Variable Second(Func<FunctionChain, Value, Value> way)
        {
            var first = Differentiate.Gradient([F(way, w.X)], [w.X, w.W[1]], createGraph: true);
            return Differentiate.Gradient([(Variable)(first[0] * first[0]).Sum()], [w.W[1]])[0];
        }

        var (expected, found) = (Second((c, x) => c.Of(x)), Second((c, x) => c.Checkpointed(x, 2)));
        Assert.All(expected.Data.ToArray<double>().Zip(found.Data.ToArray<double>()),
            p => Assert.Equal(p.First, p.Second, 10));
        var t = new Variable(TestTensors.Normal(9, 6, 6));
        double Along(Func<FunctionChain, Value, Value> way) =>
            Differentiate.Forward([F(way, w.X)], [w.W[1]], [t])[0].Data.At();
        Assert.Equal(Along((c, x) => c.Of(x)), Along((c, x) => c.Checkpointed(x, 2)), 10);
    }

    [Fact]
    public void OfACheckpointedChain_OnlyWhatEntersPiecesIsKept()
    {
        var x = new Variable(TestTensors.Normal(1, 100), requiresGradient: true);
        long Kept(Func<FunctionChain, Value> way) => History.Of([(Variable)way(Chain(16))]).SavedBytes();
        Assert.Equal((1 + (5 * 16)) * Bytes, Kept(c => c.Of(x)));
        // x, and the result of each piece.
        Assert.Equal((1 + 4) * Bytes, Kept(c => c.Checkpointed(x)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Chain(2).Checkpointed(x, -1));
    }

    [Fact]
    public void WhatIsRunAgain_IsInTheModeOfItsFirstRun()
    {
        var x = new Variable(TestTensors.Normal(1, 100), requiresGradient: true);
        var chain = new FunctionChain(v => v.Dropout(0.5, 3, 0));
        Variable y;
        using (TrainingMode.Evaluate()) y = (Variable)chain.Checkpointed(x).Sum();
        y.Backward();
        Assert.All(x.Gradient!.ToArray<double>(), g => Assert.Equal(1, g));
        x.ClearGradient();
        var trained = (Variable)chain.Checkpointed(x).Sum();
        using (TrainingMode.Evaluate()) trained.Backward();
        Assert.Contains(0.0, x.Gradient!.ToArray<double>());
    }

    [Fact]
    public void WhatCannotBeRunAgain_IsRefused()
    {
        var x = new Variable(TestTensors.Normal(1, 3), requiresGradient: true);
        var w = new Variable(TestTensors.Normal(2, 3), requiresGradient: true);
        var written = (Variable)new FunctionChain(v => v * w).Checkpointed(x).Sum();
        w.Data.Writable<double>()[0] = 7;
        var late = Assert.Throws<GradientException>(() => written.Backward());
        Assert.Contains("written in place after it", late.Message, StringComparison.Ordinal);
        var runs = 0;
        var changing = (Variable)new FunctionChain(v => runs++ == 0 ? v * v : v * w).Checkpointed(x).Sum();
        var other = Assert.Throws<GradientException>(() => changing.Backward());
        Assert.Contains("it must do the same each time", other.Message, StringComparison.Ordinal);
    }
}
