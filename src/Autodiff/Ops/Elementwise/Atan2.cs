using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// z = the angle in radians, in (-π, π], of the point of ordinate x and abscissa y        x, y -> z, dimensions of size
// 1 repeated
// dx = dz y / (x² + y²)     dy = -dz x / (x² + y²)     (0 at the origin)
internal sealed class Atan2 : BinaryOp<Atan2Operator>
{
    public override string Name => "atan2";

    internal override Value?[] Backward(OpGradient g)
    {
        // At the origin there is no angle; 0 is the subgradient of least norm.
        var square = g.X.Square() + g.Inputs[1].Square();
        var share = g.Dy / square.Where(square, square.Constant(1));
        return [share * g.Inputs[1], -(share * g.X)];
    }
}

internal readonly struct Atan2Operator : IBinaryOperator
{
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => Through64.Binary<V, Atan2Operator>(x, y);

    public static double Double(double x, double y) => PortableMath.Atan2(x, y);
}
