namespace Convoy.Autodiff.Ops;

// y = x / (1 - rate) where the random number of (seed, stream, element) is rate or more, else 0        x, y of one
// shape
internal sealed class Dropout : CompositeOp
{
    public override string Name => "dropout";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var rate = attributes.Number("rate", 0.5);
        Require(rate is >= 0 and < 1, $"the rate is 0 to below 1, not {rate}");
        if (rate == 0) return x;
        var draw = attributes.Only("seed", "stream").With("dims", x[0].Type.Dims).With("dtype", x[0].Type.DType);
        var kept = builder.Apply(OpTable.Uniform, draw, [])[0].GreaterEqual(x[0].Constant(rate));
        return [x[0] * kept / (1 - rate)];
    }
}
