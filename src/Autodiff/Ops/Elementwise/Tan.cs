using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = tan x, x in radians        x, y of one shape
// dx = dy (1 + y²)
internal sealed class Tan : UnaryOp<TanOperator>
{
    public override string Name => "tan";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * (g.Y.Square() + 1)];
}

internal readonly struct TanOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, TanOperator>(x);

    public static double Double(double x) => PortableMath.Tan(x);
}
