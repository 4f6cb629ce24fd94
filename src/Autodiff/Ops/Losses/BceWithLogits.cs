namespace Convoy.Autodiff.Ops;

// y = -t ln σ(x) - (1 - t) ln(1 - σ(x)) without overflow; reduction: sum, none, or mean unless given
internal sealed class BceWithLogits : CompositeOp
{
    public override string Name => "bce-with-logits";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x) =>
        [Losses.Reduced(x[0].Relu() - (x[0] * x[1]) + (-x[0].Abs()).Exp().Log1p(), attributes)];
}
