using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = sin x, x in radians        x, y of one shape
// dx = dy cos x
internal sealed class Sin : UnaryOp<SinOperator>
{
    public override string Name => "sin";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * g.X.Cos()];
}

internal readonly struct SinOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, SinOperator>(x);

    public static double Double(double x) => PortableMath.Sin(x);
}
