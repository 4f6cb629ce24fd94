using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = ln(x + √(x² - 1)), NaN below 1        x, y of one shape
// dx = dy / √(x² - 1)
internal sealed class Acosh : UnaryOp<AcoshOperator>
{
    public override string Name => "acosh";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * (g.X.Square() - 1).Rsqrt()];
}

internal readonly struct AcoshOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, AcoshOperator>(x);

    public static double Double(double x) => PortableMath.Acosh(x);
}
