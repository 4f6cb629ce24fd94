using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// z = ln(e^x + e^y) without overflow        x, y -> z, dimensions of size 1 repeated
// dx = dz σ(x - y)     dy = dz σ(y - x)
internal sealed class LogAddExp : BinaryOp<LogAddExpOperator>
{
    public override string Name => "log-add-exp";

    internal override Value?[] Backward(OpGradient g)
    {
        var gap = g.X - g.Inputs[1];
        return [g.Dy * gap.Sigmoid(), g.Dy * (-gap).Sigmoid()];
    }
}

internal readonly struct LogAddExpOperator : IBinaryOperator
{
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => Through64.Binary<V, LogAddExpOperator>(x, y);

    public static double Double(double x, double y) => LogAddExpOperator.Of(x, y);

    public static double Of(double x, double y)
    {
        var top = Math.Max(x, y);
        return double.IsInfinity(top) ? top : top + PortableMath.LogOnePlus(PortableMath.Exp(-Math.Abs(x - y)));
    }
}
