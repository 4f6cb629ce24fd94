using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = ln(x + √(x² + 1))        x, y of one shape
// dx = dy / √(x² + 1)
internal sealed class Asinh : UnaryOp<AsinhOperator>
{
    public override string Name => "asinh";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * (g.X.Square() + 1).Rsqrt()];
}

internal readonly struct AsinhOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, AsinhOperator>(x);

    public static double Double(double x) => PortableMath.Asinh(x);
}
