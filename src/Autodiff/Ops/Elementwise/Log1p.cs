using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = ln(1 + x), exact for small x        x, y of one shape
// dx = dy / (1 + x)
internal sealed class Log1p : UnaryOp<Log1pOperator>
{
    public override string Name => "log1p";

    internal override Value?[] Backward(OpGradient g) => [g.Dy / (g.X + 1)];
}

internal readonly struct Log1pOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, Log1pOperator>(x);

    public static double Double(double x) => PortableMath.LogOnePlus(x);
}
