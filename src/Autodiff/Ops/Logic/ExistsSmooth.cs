using Convoy.Shared.Numerics;
namespace Convoy.Autodiff.Ops;

// y = t ln(mean e^(x/t)): nears the largest as the temperature t falls to 0        x over axes; keep: reduced
// dimensions stay as 1; of nothing 0
internal sealed class ExistsSmooth : CompositeOp
{
    public override string Name => "exists-smooth";
    internal override string Settings => "axes keep temperature";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var t = SmoothLogic.Temperature(this, attributes);
        Require(!attributes.Ints("axes").Contains(x[0].Type.BatchAxis),
            $"a mean over the batch of {x[0].Type.Text} depends on its size");
        if (Reduction.OfNothing(x[0], attributes, 0) is { } nothing) return [nothing];
        var (axes, keep) = (attributes.Ints("axes"), attributes.Flag("keep"));
        var count = Reduction.CountOf(x[0].Type, attributes);
        return [((x[0] / t).LogSumExp(axes.AsSpan(), keep) - PortableMath.Log(count)) * t];
    }
}
