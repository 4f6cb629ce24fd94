using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = the integer at or below x        x, y of one shape
// no gradient
internal sealed class Floor : UnaryOp<FloorOperator>
{
    public override string Name => "floor";

    internal override Value?[] Backward(OpGradient g) => [null];
}

internal readonly struct FloorOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, FloorOperator>(x);

    public static double Double(double x) => Math.Floor(x);
}
