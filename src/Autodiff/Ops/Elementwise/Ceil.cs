using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = the integer at or above x        x, y of one shape
// no gradient
internal sealed class Ceil : UnaryOp<CeilOperator>
{
    public override string Name => "ceil";

    internal override Value?[] Backward(OpGradient g) => [null];
}

internal readonly struct CeilOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, CeilOperator>(x);

    public static double Double(double x) => Math.Ceiling(x);
}
