using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = x between -1 and 1        x, y of one shape
// dx = dy inside, 0 outside, for a NaN, and at both kinks unless the attribute kink chooses
internal sealed class HardTanh : UnaryOp<HardTanhOperator>
{
    public override string Name => "hard-tanh";
    internal override string Settings => "kink";

    internal override Value?[] Backward(OpGradient g) =>
        Kink.At(g, g.Dy * g.X.Greater(g.X.Constant(-1)) * g.X.Less(g.X.Constant(1)), (-1, 0, 1), (1, 1, 0));
}

internal readonly struct HardTanhOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, HardTanhOperator>(x);

    public static double Double(double x) => double.IsNaN(x) ? x : Math.Min(Math.Max(x, -1), 1);
}
