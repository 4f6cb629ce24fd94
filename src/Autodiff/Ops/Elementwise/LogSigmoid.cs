using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = ln(1 / (1 + e^-x)) without overflow        x, y of one shape
// dx = dy (1 - e^y)
internal sealed class LogSigmoid : UnaryOp<LogSigmoidOperator>
{
    public override string Name => "log-sigmoid";

    internal override Value?[] Backward(OpGradient g) => [g.Dy * (-g.X).Sigmoid()];
}

internal readonly struct LogSigmoidOperator : IUnaryOperator
{
    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, LogSigmoidOperator>(x);

    public static double Double(double x) => Math.Min(x, 0) - PortableMath.LogOnePlus(PortableMath.Exp(-Math.Abs(x)));
}
