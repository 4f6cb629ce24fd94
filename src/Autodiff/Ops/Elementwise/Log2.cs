using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = log2 x        x, y of one shape
// dx = dy / (x ln 2)
internal sealed class Log2 : UnaryOp<Log2Operator>
{
    public override string Name => "log2";

    internal override Value?[] Backward(OpGradient g) => [g.Dy / (g.X * PortableMath.Log(2))];
}

internal readonly struct Log2Operator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, Log2Operator>(x);

    public static double Double(double x) => PortableMath.Log2(x);
}
