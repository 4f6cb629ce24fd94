using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = x / (1 + |x|)        x, y of one shape
// dx = dy / (1 + |x|)²
internal sealed class Softsign : UnaryOp<SoftsignOperator>
{
    public override string Name => "softsign";

    internal override Value?[] Backward(OpGradient g) => [g.Dy / (g.X.Abs() + 1).Square()];
}

internal readonly struct SoftsignOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, SoftsignOperator>(x);

    public static double Double(double x) => x / (1 + Math.Abs(x));
}
