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

    /// <summary>Gain and bias have the shape of what is normalized; another one would be repeated without a
    /// word.</summary>
    public static void Check(Value[] x, ReadOnlySpan<Dim> dims)
    {
        for (var i = 1; i < Math.Min(x.Length, 3); i++)
        {
            if (x[i].Type.Dims.AsSpan().SequenceEqual(dims)) continue;
            throw new ShapeException(
                $"{(i == 1 ? "the gain" : "the bias")} {x[i].Type.Text} has not the shape [{string.Join(",", dims.ToArray())}] of what is normalized");
        }
    }

    public static Value PerChannel(Value vector, int rank) =>
        vector.Reshape([vector.Type[0], .. Enumerable.Repeat(new Dim(1), rank - 2)]);
}
