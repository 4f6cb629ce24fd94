using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Transposed convolution over 1, 2 or 3 dimensions: the adjoint of the convolution with the same weight, as one matrix
/// product that is folded. x_NC(sizes), w_CF'(kernel), bias_F with F' = F / groups
/// -> y_NF(sizes), size = (n - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1; output_padding is
/// smaller than stride or dilation.
/// </summary>
internal abstract class ConvTransposeNd(int dimensions) : CompositeOp
{
    public override string Name => $"conv-transpose{dimensions}d";
    internal override string Settings => "stride padding dilation groups output_padding";
    private protected override (int Least, int Most) Arity => (2, 3);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var (image, w, groups) = (x[0], x[1], attributes.Int("groups", 1));
        Require(image.Type.Rank == dimensions + 2,
            $"the input is [N, C and {dimensions} sizes], not {image.Type.Text}");
        Require(w.Type.Rank == dimensions + 2, $"a weight is [C, F/groups and {dimensions} sizes], not {w.Type.Text}");
        var (channels, filters) = (image.Type[1].Size, w.Type[1].Size * groups);
        Require(
            groups > 0 && channels % groups == 0 && w.Type[0].Size == channels,
            $"{image.Type.Text} and {w.Type.Text} do not fit {groups} groups");
        int[] kernel = [.. w.Type.Dims.Skip(2).Select(d => d.Size)];
        var windows = WindowLists.Of(attributes, kernel);
        var extra = WindowLists.List(attributes, "output_padding", 0, dimensions);
        var sizes = new int[dimensions];
        var (taps, places) = (1, 1);
        for (var i = 0; i < dimensions; i++)
        {
            var (stride, padding) = (windows.Ints("stride")[i], windows.Ints("padding")[i]);
            Require(
                extra[i] >= 0 && extra[i] < Math.Max(stride, windows.Ints("dilation")[i]),
                $"output_padding {extra[i]} is not smaller than the stride or the dilation");
            sizes[i] = ((image.Type[i + 2].Size - 1) * stride) - (2 * padding)
                + (windows.Ints("dilation")[i] * (kernel[i] - 1)) + extra[i] + 1;
            Require(sizes[i] > 0,
                $"the padding {padding} leaves {sizes[i]} of dimension {i + 2} of {image.Type.Text}: pad less");
            // What a whole stride or more adds are places of windows too; nothing comes from there.
            if (extra[i] >= stride) image = image.Pad(i + 2, 0, extra[i] / stride);
            (taps, places) = (taps * kernel[i], places * image.Type[i + 2].Size);
        }

        var columns = w.Reshape(1, groups, channels / groups, w.Type[1].Size * taps)
            .MatMul(image.Reshape(image.Type[0], groups, channels / groups, places), ta: true)
            .Reshape(image.Type[0], filters, taps, places);
        var y = columns.Apply(OpTable.Fold, windows.With("sizes", sizes));
        return [x.Length == 2 ? y : y + WindowLists.PerChannel(x[2], filters, dimensions)];
    }
}

// y = the adjoint of conv1d        x_NCL, w_CFK, bias_F -> y_NFM
internal sealed class ConvTranspose1d() : ConvTransposeNd(1);

// y = the adjoint of conv2d        x_NCHW, w_CFIJ, bias_F -> y_NFKL
internal sealed class ConvTranspose2d() : ConvTransposeNd(2);

// y = the adjoint of conv3d
internal sealed class ConvTranspose3d() : ConvTransposeNd(3);
