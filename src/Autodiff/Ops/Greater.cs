namespace Convoy.Autodiff.Ops;

// z = 1 where x > y, else 0        broadcast
// no gradient: the result is flat almost everywhere
internal sealed class Greater : BinaryOp<Fn.GreaterMask>
{
    public override string Name => "greater";

    internal override Value?[] Backward(OpGradient g) => [null, null];
}
