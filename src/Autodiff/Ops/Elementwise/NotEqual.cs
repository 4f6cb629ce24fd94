using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// z = 1 where x ≠ y, else 0        x, y -> z, dimensions of size 1 repeated
// no gradient
internal sealed class NotEqual : BinaryOp<NotEqualOperator>
{
    public override string Name => "not-equal";

    internal override Value?[] Backward(OpGradient g)
    {
        return [null, null];
    }
}

internal readonly struct NotEqualOperator : IBinaryOperator
{
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => Through64.Binary<V, NotEqualOperator>(x, y);

    public static double Double(double x, double y) => x == y ? 0 : 1;
}
