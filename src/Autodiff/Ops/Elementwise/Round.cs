using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = the nearest integer, the even one of two        x, y of one shape
// no gradient
internal sealed class Round : UnaryOp<RoundOperator>
{
    public override string Name => "round";

    internal override Value?[] Backward(OpGradient g) => [null];
}

internal readonly struct RoundOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, RoundOperator>(x);

    public static double Double(double x) => Math.Round(x, MidpointRounding.ToEven);
}
