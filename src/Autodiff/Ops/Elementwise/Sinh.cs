using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = (e^x - e^-x) / 2        x, y of one shape
// dx = dy cosh x
internal sealed class Sinh : UnaryOp<SinhOperator>
{
    public override string Name => "sinh";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * g.X.Cosh()];
}

internal readonly struct SinhOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, SinhOperator>(x);

    public static double Double(double x) => PortableMath.Sinh(x);
}
