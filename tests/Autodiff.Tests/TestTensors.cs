using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests;

internal static class TestTensors
{
    /// <summary>Normal numbers in float64, the same for a stream in every run.</summary>
    public static Tensor Normal(ulong stream, params int[] dims)
    {
        var tensor = Tensor.Zeros(DType.Float64, dims);
        var random = new RandomStream(5, RandomPurpose.Mask, stream);
        var values = tensor.Writable<double>();
        for (var i = 0; i < values.Length; i++) values[i] = random.Normal(i);
        return tensor;
    }

    public static void Near(Tensor expected, Tensor actual, double tolerance = 1e-10)
    {
        Assert.Equal(expected.Shape, actual.Shape);
        Assert.All(expected.ToArray<double>().Zip(actual.ToArray<double>()), p =>
            Assert.Equal(p.First, p.Second, tolerance * Math.Max(1, Math.Abs(p.First))));
    }
}
