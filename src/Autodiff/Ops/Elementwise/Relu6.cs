using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = x between 0 and 6        x, y of one shape
// dx = dy inside, 0 outside, for a NaN, and at both kinks unless the attribute kink chooses
internal sealed class Relu6 : UnaryOp<Relu6Operator>
{
    public override string Name => "relu6";
    internal override string Settings => "kink";

    internal override Value?[] Backward(OpGradient g) =>
        Kink.At(g, g.Dy * g.X.Greater(g.X.Constant(0)) * g.X.Less(g.X.Constant(6)), (0, 0, 1), (6, 1, 0));
}

internal readonly struct Relu6Operator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, Relu6Operator>(x);

    public static double Double(double x) => double.IsNaN(x) ? x : Math.Min(Math.Max(x, 0), 6);
}
