using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = 1 / x        x, y of one shape
// dx = -dy y²
internal sealed class Reciprocal : UnaryOp<ReciprocalOperator>
{
    public override string Name => "reciprocal";

    internal override Value?[] Backward(OpGradient g) => [-(g.Dy * g.Y.Square())];
}

internal readonly struct ReciprocalOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, ReciprocalOperator>(x);

    public static double Double(double x) => 1 / x;
}
