namespace Convoy.Autodiff.Ops;

// z = 1 where x = y, else 0        broadcast
// no gradient: the result is flat almost everywhere
internal sealed class Equal : BinaryOp<Fn.EqualMask>
{
    public override string Name => "equal";

    internal override Value?[] Backward(OpGradient g) => [null, null];
}
