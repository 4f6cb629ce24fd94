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
}
