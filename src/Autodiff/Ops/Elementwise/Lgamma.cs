using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = ln |Γ(x)|        x, y of one shape
// dx = dy ψ(x)
internal sealed class Lgamma : UnaryOp<LgammaOperator>
{
    public override string Name => "lgamma";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * g.X.Polygamma(0)];
}

internal readonly struct LgammaOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, LgammaOperator>(x);

    public static double Double(double x) => GammaFunctions.LogGamma(x);
}
