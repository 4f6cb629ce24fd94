using Convoy.Shared.Numerics;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

// y = x where x > 0, else alpha (e^(x/alpha) - 1)        x, y of one shape
// dx = dy where x > 0, else dy (y / alpha + 1)
internal sealed class Celu : ConstantOp<CeluOperator>
{
    public override string Name => "celu";
    internal override string Settings => "alpha";

    private protected override (string Name, double Otherwise) Constant => ("alpha", 1);

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        Require(ConstantOf(attributes) != 0, "alpha is not 0");
        return base.Infer(attributes, inputs);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var below = (g.Y / ConstantOf(g.Attributes)) + 1;
        return [g.Dy * g.X.Greater(g.X.Constant(0)).Where(g.X.Constant(1), below)];
    }
}

internal readonly struct CeluOperator : IBinaryOperator
{
    public static V Lanes<V>(V x, V y) where V : unmanaged, ILanes<V> => Through64.Binary<V, CeluOperator>(x, y);

    public static double Double(double x, double y) => x > 0 ? x : y * PortableMath.ExpMinusOne(x / y);
}
