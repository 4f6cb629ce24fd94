using Convoy.Shared.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = s x where x > 0, else s a (e^x - 1); s and a keep mean 0 and variance 1 (Klambauer and others 2017)
// x, y of one shape
// dx = dy s where x > 0, else dy (y + s a); s a dy at the kink unless the attribute kink chooses
internal sealed class Selu : UnaryOp<SeluOperator>
{
    public override string Name => "selu";
    internal override string Settings => "kink";

    internal override Value?[] Backward(OpGradient g)
    {
        const double Left = SeluOperator.Scale * SeluOperator.Alpha;
        var slope = g.X.Greater(g.X.Constant(0)).Where(g.X.Constant(SeluOperator.Scale), g.Y + Left);
        return Kink.At(g, g.Dy * slope, (0, Left, SeluOperator.Scale));
    }
}

internal readonly struct SeluOperator : IUnaryOperator
{
    public const double Alpha = 1.6732632423543772848170429916717;
    public const double Scale = 1.0507009873554804934193349852946;

    public static V Lanes<V>(V x) where V : unmanaged, ILanes<V> => Through64.Unary<V, SeluOperator>(x);

    public static double Double(double x) => Scale * (x > 0 ? x : Alpha * PortableMath.ExpMinusOne(x));
}
