using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = uniform in (0, 1): the same numbers wherever and whenever they are drawn        -> y
// A tensor of fixed shape has the number of (seed, stream, element); where the first dimension is the batch, it is that
// of (seed of the job, seed, stream; step, position of the sample in the epoch, element of the sample).
// no inputs, no gradient
internal sealed class Uniform : FloatOp
{
    public override string Name => "uniform";
    public override string Sharding => "-> 'a...";
    internal override string Settings => "seed stream dims dtype";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 0);
        return [Drawn(this, attributes)];
    }

    /// <summary>The type of numbers that are drawn, of samples or not.</summary>
    internal static TensorType Drawn(Op op, Attributes attributes)
    {
        var dtype = (DType)attributes.Int("dtype");
        if (dtype is not (DType.Float32 or DType.Float64))
            throw new ShapeException($"{op.Name}: holds floating-point numbers");
        var type = new TensorType(dtype, attributes.Dims("dims").AsSpan());
        if (type.IsPerSample && (type.BatchAxis != 0
            || (!type.HasNames && type.Coefficient > SampleStream.ElementsMax)))
        {
            throw new ShapeException(
                $"{op.Name}: numbers for samples have the batch first and at most {SampleStream.ElementsMax} elements of "
                + $"a sample, not {type.Text}");
        }

        return type;
    }

    private protected override void Run<T>(OpCall call)
    {
        var y = call.Out<T>();
        Fill(call, y);
        // Half a step up: never 0, so that a logarithm is finite; exact in float32.
        for (var i = 0; i < y.Length; i++) y[i] += T.CreateTruncating(0.5 / (1 << 24));
    }

    /// <summary>Multiples of 2^-24 in [0, 1).</summary>
    internal static void Fill<T>(OpCall call, Span<T> y) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var (seed, id) = ((ulong)call.Attributes.Int("seed"), (ulong)call.Attributes.Int("stream"));
        var type = call.Attributes.Dims("dims");
        if (type.Length == 0 || !type[0].PerSample)
        {
            var random = new RandomStream(seed, RandomPurpose.Mask, id);
            for (var i = 0; i < y.Length; i++) y[i] = T.CreateTruncating(random.Uniform(i));
            return;
        }

        var each = 1;
        foreach (var dim in type) each *= dim.Size;
        for (var row = 0; row * each < y.Length; row++)
        {
            var stream = call.Context.StreamOf(seed, id, row);
            for (var i = 0; i < each; i++) y[(row * each) + i] = T.CreateTruncating(stream.Uniform(i));
        }
    }

    internal override Value?[] Backward(OpGradient g) => [];
}
