namespace Convoy.Autodiff.Ops;

// z = 1 where x >= y, else 0        broadcast
// no gradient: the result is flat almost everywhere
internal sealed class GreaterEqual : BinaryOp<GreaterEqualMask>
{
    public override string Name => "greater-equal";

    internal override Value?[] Backward(OpGradient g) => [null, null];
}
