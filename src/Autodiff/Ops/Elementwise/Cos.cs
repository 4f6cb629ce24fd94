using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = cos x, x in radians        x, y of one shape
// dx = -dy sin x
internal sealed class Cos : UnaryOp<CosOperator>
{
    public override string Name => "cos";

    internal override Value?[] Backward(OpGradient g) => [-(g.Dy * g.X.Sin())];
}

internal readonly struct CosOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, CosOperator>(x);

    public static double Double(double x) => PortableMath.Cos(x);
}
