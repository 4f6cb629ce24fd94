using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim.Gradients;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Optim.Gradients;

/// <summary>OPTIM-06: gradients of micro-batches, in float16, float32 and float64, and averages of weights.</summary>
public sealed class AccumulatorTests
{
    [Theory]
    [InlineData(false, 9, 12)]
    [InlineData(true, 3, 4)]
    public void Sums_OrAverages_ReleasesAtItsTarget_AndStartsAgain(bool average, double first, double second)
    {
        var sum = new GradientAccumulator(3, average);
        for (var round = 0; round < 2; round++)
        {
            Assert.False(sum.Add([new[] { 2.0 }, new[] { 3f }]));
            Assert.False(sum.Add([new[] { 3.0 }, new[] { 4f }]));
            Assert.Equal((2, 3, true), (sum.Count, sum.Target, sum.IsFinite));
            double[] a = [4];
            float[] b = [5];
            Assert.True(sum.Add([a, b]));
            Assert.Equal((first, second), (a[0], b[0]));
            Assert.Equal(0, sum.Count);
        }

        sum.Add([new[] { 9.0 }, new[] { 9f }]);
        Assert.Throws<ArgumentException>(() => sum.Add([new[] { 9.0 }]));
        Assert.Contains("gradient 1 has 2 elements, before there were 1",
            Assert.Throws<ArgumentException>(() => sum.Add([new[] { 9.0 }, new[] { 9f, 9 }])).Message,
            StringComparison.Ordinal);
        Assert.Equal(1, sum.Count);
        sum.Clear();
        Assert.Equal(0, sum.Count);
        Assert.False(sum.Add([new[] { 2.0, 1 }]));
        Assert.Throws<ArgumentException>(() => new GradientAccumulator(0));
        Assert.Throws<ArgumentException>(() => sum.Add([new[] { 2.0, 1 }], lossScale: 0));
    }

    // Ten thousand times 1e-4 and one 1: a sum in float32 would lose digits of every term.
    [Fact]
    public void SumsAreWide_AndRoundedOnce()
    {
        var sum = new GradientAccumulator(10_001);
        for (var i = 0; i < 10_000; i++) sum.Add([new[] { 1e-4f }]);
        float[] last = [1];
        Assert.True(sum.Add([last]));
        Assert.Equal((float)(1 + (10_000 * (double)1e-4f)), last[0]);
    }

    // Mixed precision: the smallest float16 is 6e-8, so 1e-8 is lost without a scale, and whole with one.
    [Theory]
    [InlineData(1, 0)]
    [InlineData(65_536, 3e-8)]
    public void NarrowGradients_OfAScaledLoss_AreUnscaledWhereTheyAreWide(double scale, double expected)
    {
        var sum = new GradientAccumulator(3);
        var whole = new float[1];
        for (var i = 0; i < 3; i++)
            Assert.Equal(i == 2, sum.Add([GradientVector.Of(new[] { (Half)(1e-8 * scale) })], scale, [whole]));
        Assert.Equal(expected, whole[0], 3e-11);
        Assert.True(sum.IsFinite);
        // What is too large for float16 is infinite: the step is one to skip, the next one is not.
        sum.Add([GradientVector.Of(new[] { (Half)(2 * scale * 1e5) })], scale, [whole]);
        Assert.False(sum.IsFinite);
        for (var i = 0; i < 2; i++) sum.Add([GradientVector.Of(new[] { (Half)0 })], scale, [whole]);
        Assert.False(sum.IsFinite);
        sum.Add([GradientVector.Of(new[] { (Half)0 })], scale, [whole]);
        Assert.True(sum.IsFinite);
    }

    // Gradients of variables are dense tensors; a chain that computes its links again gives the same ones.
    [Fact]
    public void WithRecompute_TheSumIsTheSameToTheBit_AndThatOfTheWholeBatch()
    {
        var w = TestTensors.Normal(1, 4, 4);
        var rows = TestTensors.Normal(2, 12, 4);
        FunctionChain Chain(Tensor x) => new(
            v => new Variable(x).MatMul(v).Tanh(), v => v.Square().Exp(), v => v.Sum());
        Tensor Accumulated(VjpStrategy strategy)
        {
            var sum = new GradientAccumulator(3);
            for (var m = 0; ; m++)
            {
                var gradient = strategy.Run(Chain(rows.Slice((m * 4)..((m + 1) * 4)).Contiguous()), w,
                    Tensor.Ones(DType.Float64)).Gradients[0].Copy();
                if (sum.Add([GradientVector.Of(gradient)])) return gradient;
            }
        }

        var plain = Accumulated(VjpStrategy.Standard);
        Assert.Equal(plain.ToArray<double>(), Accumulated(VjpStrategy.Checkpointed).ToArray<double>());
        TestTensors.Near(
            VjpStrategy.Standard.Run(Chain(rows), w, Tensor.Ones(DType.Float64)).Gradients[0], plain, 1e-12);
        Assert.Throws<ShapeException>(() => GradientVector.Of(plain.Transpose()));
        Assert.Throws<ShapeException>(() => GradientVector.Of(Tensor.Zeros(DType.Int32, 2)));
    }

    [Fact]
    public void AStepAllocatesNothingByElements()
    {
        var sum = new GradientAccumulator(2);
        GradientVector[] g = [new float[1 << 16]];
        sum.Add(g);
        var before = GC.GetAllocatedBytesForCurrentThread();
        sum.Add(g);
        sum.Add(g);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_096);
    }

    [Fact]
    public void TheAverage_IsThatOfTheWeights_InTheirType()
    {
        var mean = new WeightAverage(2, 0.5);
        var (wide, narrow) = (new double[2], new float[2]);
        mean.CopyTo<double>(wide);
        Assert.Equal([0, 0], wide);
        mean.Add<float>([2, 4]);
        mean.CopyTo<float>(narrow);
        Assert.Equal([2, 4], narrow);
        mean.Add<double>([5, 1]);
        mean.CopyTo<double>(wide);
        // (0.25·2 + 0.5·5) / 0.75 and (0.25·4 + 0.5·1) / 0.75
        Assert.Equal([4, 2], wide);
        Assert.Throws<ArgumentException>(() => mean.Add<float>([1]));
    }
}
