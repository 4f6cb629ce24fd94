using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = arctan x in radians        x, y of one shape
// dx = dy / (1 + x²)
internal sealed class Atan : UnaryOp<AtanOperator>
{
    public override string Name => "atan";

    internal override Value?[] Backward(OpGradient g) => [g.Dy / (g.X.Square() + 1)];
}

internal readonly struct AtanOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, AtanOperator>(x);

    public static double Double(double x) => PortableMath.Atan(x);
}
