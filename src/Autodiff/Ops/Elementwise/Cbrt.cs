using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = ∛x, of negative x too        x, y of one shape
// dx = dy / (3 y²)
internal sealed class Cbrt : UnaryOp<CbrtOperator>
{
    public override string Name => "cbrt";

    internal override Value?[] Backward(OpGradient g) => [g.Dy / (g.Y.Square() * 3)];
}

internal readonly struct CbrtOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, CbrtOperator>(x);

    public static double Double(double x) => PortableMath.Cbrt(x);
}
