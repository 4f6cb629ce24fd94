using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>What normalizing layers share: standardized elements over some axes, then gain and bias.</summary>
internal static class Normalized
{
    public static Value Over(Value[] x, int[] axes, Attributes attributes, Func<Value, Value> placed)
    {
        var centred = x[0] - x[0].Mean(axes, keep: true);
        var variance = centred.Square().Mean(axes, keep: true);
        return Affine(centred * (variance + attributes.Number("epsilon", Functions.LayerNormEpsilon)).Rsqrt(), x,
            placed);
    }

    /// <summary>h gain + bias, where they are given: the second and third operand.</summary>
    public static Value Affine(Value h, Value[] x, Func<Value, Value> placed)
    {
        if (x.Length > 1) h *= placed(x[1]);
        return x.Length > 2 ? h + placed(x[2]) : h;
    }

    public static Value PerChannel(Value vector, int rank) =>
        vector.Reshape([vector.Type[0], .. Enumerable.Repeat(new Dim(1), rank - 2)]);
}
