using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = 1 / √x        x, y of one shape
// dx = -dy y³ / 2
internal sealed class Rsqrt : UnaryOp<RsqrtOperator>
{
    public override string Name => "rsqrt";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * g.Y.Square() * g.Y * -0.5];
}

internal readonly struct RsqrtOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, RsqrtOperator>(x);

    public static double Double(double x) => 1 / Math.Sqrt(x);
}
