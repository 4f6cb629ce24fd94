using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = batch in training, running repeated to its shape in evaluation (passes/EvaluationForm)        batch, running -> y
// d batch = dy; running gets none: it follows the batch by a rule of its own
internal sealed class Statistic : FloatOp
{
    public override string Name => "statistic";
    public override string Sharding => "a..., a... -> a...";
    internal override string Settings => "momentum elements";

    internal override bool MayOverwrite(int input) => input == 0;

    internal override Value[]? Batched(OpBatch b) =>
        b.Apply(b.Attributes, b.Spread(0), b.Lifted(1, b.RankOf(0)));

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs);
        Require(Broadcasting.Common(this, inputs[0], inputs[1]).Equals(inputs[0]),
            $"running values {inputs[1].Text} are not those of {inputs[0].Text}");
        return [inputs[0]];
    }

    private protected override void Run<T>(OpCall call) => call.In<T>(0).CopyTo(call.Out<T>());

    internal override Value?[] Backward(OpGradient g) => [g.Dy, null];
}
