using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y[i] = uniform in (0, 1) from (seed, stream, i): the same numbers wherever and whenever they are drawn        -> y
// no inputs, no gradient
internal sealed class Uniform : FloatOp
{
    public override string Name => "uniform";
    public override string Sharding => "-> 'a...";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 0);
        var dtype = (DType)attributes.Int("dtype");
        Require(dtype is DType.Float32 or DType.Float64, "holds floating-point numbers");
        var type = new TensorType(dtype, attributes.Dims("dims").AsSpan());
        Require(!type.IsPerSample,
            "numbers for samples need their positions in the epoch, which a graph does not carry");
        return [type];
    }

    private protected override void Run<T>(OpCall call)
    {
        var seed = (ulong)call.Attributes.Int("seed");
        var random = new RandomStream(seed, RandomPurpose.Mask, (ulong)call.Attributes.Int("stream"));
        var y = call.Out<T>();
        // Half a step up: never 0, so that a logarithm is finite; exact in float32.
        for (var i = 0; i < y.Length; i++) y[i] = T.CreateTruncating(random.Uniform(i) + (0.5 / (1 << 24)));
    }

    internal override Value?[] Backward(OpGradient g) => [];
}
