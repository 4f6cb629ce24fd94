using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x times dropout-mask: 0 for a share rate of the elements, the others divided by 1 - rate        x, y of one shape
// The identity in evaluation.
internal sealed class Dropout : CompositeOp
{
    public override string Name => "dropout";
    internal override string Settings => "rate seed stream";

    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var rate = attributes.Number("rate", 0.5);
        Require(rate is >= 0 and < 1, $"the rate is 0 to below 1, not {rate}");
        if (rate == 0 || !TrainingMode.IsOn) return x;
        var draw = attributes.Only("seed", "stream").With("rate", rate)
            .With("dims", x[0].Type.Dims).With("dtype", x[0].Type.DType);
        return [x[0] * builder.Apply(OpTable.DropoutMask, draw, [])[0]];
    }
}
