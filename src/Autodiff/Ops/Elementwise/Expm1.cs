using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = e^x - 1, exact for small x        x, y of one shape
// dx = dy (y + 1)
internal sealed class Expm1 : UnaryOp<Expm1Operator>
{
    public override string Name => "expm1";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * (g.Y + 1)];
}

internal readonly struct Expm1Operator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, Expm1Operator>(x);

    public static double Double(double x) => PortableMath.ExpMinusOne(x);
}
