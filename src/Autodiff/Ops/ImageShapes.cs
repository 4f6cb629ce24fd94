using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>Sizes of convolutions and poolings from attributes, checked before the kernels see them.</summary>
internal static class ImageShapes
{
    public static Conv2dShape Conv(Attributes a, Shape x, Shape w) => new(
        x[0], x[1], x[2], x[3], w[0], w[2], w[3],
        a.Int("stride", 1), a.Int("padding"), a.Int("dilation", 1), a.Int("groups", 1));

    public static Pool2dShape Pool(Attributes a, Shape x) =>
        new(x[0], x[1], x[2], x[3], a.Int("kernel"), a.Int("kernel"), a.Int("stride", a.Int("kernel")),
            a.Int("padding"));

    /// <summary>The shape of images with fixed planes: only the first dimension may follow the batch.</summary>
    public static void CheckImage(Op op, TensorType x, string what)
    {
        if (x.Rank != 4 || x.BatchAxis > 0)
            throw new ShapeException($"{op.Name}: {what} is [N, C, H, W], not {x.Text}");
        for (var i = 1; i < 4; i++)
        {
            // A number of channels that has a name is met when the graph runs.
            if ((i > 1 || !x[i].HasNames) && x[i].Size < 1)
                throw new ShapeException($"{op.Name}: {what} {x.Text} has an empty image");
        }
    }

    // Windows depend on the sides of the images alone: how many there are, and channels, may have names.
    private static Shape OneImage(TensorType x) =>
        new(x[0].HasNames ? 1 : x[0].At(1), x[1].HasNames ? 1 : x[1].Size, x[2].Size, x[3].Size);

    public static Conv2dShape CheckConv(Op op, Attributes a, TensorType x, TensorType w)
    {
        CheckImage(op, x, "the input");
        if (w.Rank != 4 || w.IsPerSample)
            throw new ShapeException($"{op.Name}: a weight is [F, C/groups, kh, kw], not {w.Text}");
        if (w[0].Size < 1) throw new ShapeException($"{op.Name}: a weight of {w.Text} has no output channels");
        var groups = a.Int("groups", 1);
        if (groups < 1 || x[1].Size % groups != 0 || w[0].Size % groups != 0 || w[1].Size != x[1].Size / groups)
            throw new ShapeException($"{op.Name}: {x.Text} and {w.Text} do not fit {groups} groups: a weight has the input's channels over the groups");
        var shape = Conv(a, OneImage(x), w.At(1));
        CheckWindow(op, shape.H, shape.Kh, shape.Stride, shape.Padding, shape.Dilation);
        CheckWindow(op, shape.W, shape.Kw, shape.Stride, shape.Padding, shape.Dilation);
        return shape;
    }

    public static Pool2dShape CheckPool(Op op, Attributes a, TensorType x)
    {
        CheckImage(op, x, "the input");
        var shape = Pool(a, OneImage(x));
        CheckWindow(op, shape.H, shape.Kh, shape.Stride, shape.Padding, 1);
        CheckWindow(op, shape.W, shape.Kw, shape.Stride, shape.Padding, 1);
        if (shape.Padding > shape.Kh / 2) throw new ShapeException($"{op.Name}: padding is at most half of the window");
        return shape;
    }

    private static void CheckWindow(Op op, int size, int kernel, int stride, int padding, int dilation)
    {
        if (kernel < 1 || stride < 1 || padding < 0 || dilation < 1)
            throw new ShapeException($"{op.Name}: kernel, stride and dilation are positive, padding is not negative");
        if (size + (2L * padding) < ((long)dilation * (kernel - 1)) + 1)
            throw new ShapeException(
                $"{op.Name}: a window of {kernel} does not fit an image of {size} with padding {padding}");
    }
}
