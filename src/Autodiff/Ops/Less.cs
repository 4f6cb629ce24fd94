namespace Convoy.Autodiff.Ops;

// z = 1 where x < y, else 0        broadcast
// no gradient: the result is flat almost everywhere
internal sealed class Less : BinaryOp<LessMask>
{
    public override string Name => "less";

    internal override Value?[] Backward(OpGradient g) => [null, null];
}
