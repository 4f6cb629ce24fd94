using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// z = √(x² + y²) without overflow        x, y -> z, dimensions of size 1 repeated
// dx = dz x / z     dy = dz y / z     (0 at the origin)
internal sealed class Hypot : BinaryOp<HypotOperator>
{
    public override string Name => "hypot";

    internal override Value?[] Backward(OpGradient g)
    {
        // At the origin there is no tangent plane; 0 is the subgradient of least norm.
        var share = g.Dy / g.Y.Where(g.Y, g.Y.Constant(1));
        return [share * g.X, share * g.Inputs[1]];
    }
}

internal readonly struct HypotOperator : IBinaryOperator
{
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => Through64.Binary<V, HypotOperator>(x, y);

    public static double Double(double x, double y) => double.Hypot(x, y);
}
