using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = ln((1 + x) / (1 - x)) / 2, NaN outside [-1, 1]        x, y of one shape
// dx = dy / (1 - x²)
internal sealed class Atanh : UnaryOp<AtanhOperator>
{
    public override string Name => "atanh";

    internal override Value?[] Backward(OpGradient g) => [g.Dy / g.X.Square().OneMinus()];
}

internal readonly struct AtanhOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, AtanhOperator>(x);

    public static double Double(double x) => PortableMath.Atanh(x);
}
