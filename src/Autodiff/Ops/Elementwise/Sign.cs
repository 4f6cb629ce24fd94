using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = 1, 0 or -1; NaN stays        x, y of one shape
// no gradient: constant between its jumps
internal sealed class Sign : UnaryOp<SignOperator>
{
    public override string Name => "sign";

    internal override Value?[] Backward(OpGradient g) => [null];
}

internal readonly struct SignOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, SignOperator>(x);

    public static double Double(double x) => double.IsNaN(x) ? x : Math.Sign(x);
}
