namespace Convoy.Autodiff.Ops;

// z = 1 where x <= y, else 0        broadcast
// no gradient: the result is flat almost everywhere
internal sealed class LessEqual : BinaryOp<LessEqualMask>
{
    public override string Name => "less-equal";

    internal override Value?[] Backward(OpGradient g) => [null, null];
}
