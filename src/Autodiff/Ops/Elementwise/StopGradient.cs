using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x        x, y of one shape
// no gradient: what follows sees a constant
internal sealed class StopGradient : UnaryOp<Fn.Identity>
{
    public override string Name => "stop-gradient";

    internal override Value?[] Backward(OpGradient g) => [null];
}
