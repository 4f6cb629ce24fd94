using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = arccos x in radians, NaN outside [-1, 1]        x, y of one shape
// dx = -dy / √(1 - x²)
internal sealed class Acos : UnaryOp<AcosOperator>
{
    public override string Name => "acos";

    internal override Value?[] Backward(OpGradient g) => [-(g.Dy * g.X.Square().OneMinus().Rsqrt())];
}

internal readonly struct AcosOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, AcosOperator>(x);

    public static double Double(double x) => PortableMath.Acos(x);
}
