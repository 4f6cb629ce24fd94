using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Convolution over 1, 2 or 3 dimensions with its own stride, padding and dilation for each, as one matrix product over
/// unfolded windows. x_NC(sizes), w_FC'(kernel), bias_F with C' = C / groups -> y_NF(places).
/// </summary>
internal abstract class ConvNd(int dimensions) : CompositeOp
{
    public override string Name => $"conv{dimensions}d-any";
    internal override string Settings => "stride padding dilation groups";
    private protected override (int Least, int Most) Arity => (2, 3);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var (image, w, groups) = (x[0], x[1], attributes.Int("groups", 1));
        Require(image.Type.Rank == dimensions + 2,
            $"the input is [N, C and {dimensions} sizes], not {image.Type.Text}");
        Require(w.Type.Rank == dimensions + 2, $"a weight is [F, C/groups and {dimensions} sizes], not {w.Type.Text}");
        var (channels, filters) = (image.Type[1].Size, w.Type[0].Size);
        Require(
            groups > 0 && channels % groups == 0 && filters % groups == 0 && w.Type[1].Size == channels / groups,
            $"{image.Type.Text} and {w.Type.Text} do not fit {groups} groups: a weight has the input's channels over the groups");
        var windows = WindowLists.Of(attributes, [.. w.Type.Dims.Skip(2).Select(d => d.Size)]);
        var shape = WindowShape.Of(this, windows, image.Type);
        var terms = channels / groups * shape.Taps;
        var columns = image.Apply(OpTable.Unfold, windows).Reshape(image.Type[0], groups, terms, shape.Places);
        var y = w.Reshape(1, groups, filters / groups, terms).MatMul(columns)
            .Reshape([image.Type[0], filters, .. shape.Out.Select(s => new Dim(s))]);
        return [x.Length == 2 ? y : y + WindowLists.PerChannel(x[2], filters, dimensions)];
    }
}

// y = Σ x w over the window, along one dimension        x_NCL, w_FCK, bias_F -> y_NFP
internal sealed class Conv1d() : ConvNd(1);

// The same in two dimensions, where strides may differ; conv2d is the fast form for square windows
internal sealed class Conv2dAny() : ConvNd(2);

// The same in three dimensions
internal sealed class Conv3d() : ConvNd(3);

/// <summary>Attributes of windows, written as one number or one for each dimension.</summary>
internal static class WindowLists
{
    public static Attributes Of(Attributes a, int[] kernel) => Attributes
        .Of("kernel", kernel, "stride", List(a, "stride", 1, kernel.Length))
        .With("padding", List(a, "padding", 0, kernel.Length)).With("dilation", List(a, "dilation", 1, kernel.Length));

    public static int[] List(Attributes a, string name, int otherwise, int count)
    {
        var list = a.Ints(name);
        if (list.Length == 0) return [.. Enumerable.Repeat(a.Int(name, otherwise), count)];
        return list.Length == count ? [.. list]
            : throw new ShapeException(
                $"{name} [{string.Join(",", list)}] has not one number for each of {count} dimensions");
    }

    public static Value PerChannel(Value bias, int filters, int dimensions)
    {
        if (bias.Type.Rank != 1 || bias.Type[0] != filters)
            throw new ShapeException($"a bias has the shape [{filters}], not {bias.Type.Text}");
        return bias.Reshape([filters, .. Enumerable.Repeat(new Dim(1), dimensions)]);
    }
}
