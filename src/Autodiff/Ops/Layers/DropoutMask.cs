using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = 1 / (1 - rate) where the random number is rate or more, else 0        -> y
// The number is that of (seed, stream, element) in a tensor of fixed shape; where the first dimension is the batch,
// that of (seed of the job, seed, stream; step, position of the sample, element of the sample). 1 in evaluation.
// no inputs, no gradient
internal sealed class DropoutMask : FloatOp
{
    public override string Name => "dropout-mask";
    public override string Sharding => "-> 'a...";
    internal override string Settings => "rate seed stream dims dtype";

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 0);
        var rate = attributes.Number("rate", 0.5);
        Require(rate is >= 0 and < 1, $"the rate is 0 to below 1, not {rate}");
        return [Uniform.Drawn(this, attributes)];
    }

    private protected override void Run<T>(OpCall call)
    {
        var rate = (float)call.Attributes.Number("rate", 0.5);
        var kept = T.CreateTruncating(1 / (1 - call.Attributes.Number("rate", 0.5)));
        var y = call.Out<T>();
        Uniform.Fill(call, y);
        for (var i = 0; i < y.Length; i++) y[i] = float.CreateTruncating(y[i]) >= rate ? kept : T.Zero;
    }

    internal override Value?[] Backward(OpGradient g) => [];
}
