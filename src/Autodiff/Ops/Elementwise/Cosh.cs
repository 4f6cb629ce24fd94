using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = (e^x + e^-x) / 2        x, y of one shape
// dx = dy sinh x
internal sealed class Cosh : UnaryOp<CoshOperator>
{
    public override string Name => "cosh";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * g.X.Sinh()];
}

internal readonly struct CoshOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, CoshOperator>(x);

    public static double Double(double x) => PortableMath.Cosh(x);
}
