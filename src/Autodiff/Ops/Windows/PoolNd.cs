using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>Settings of pooling over windows of any number of dimensions, each with its own size, stride and
/// padding.</summary>
internal static class PoolWindows
{
    /// <summary>The settings with one number for each dimension.</summary>
    public static Attributes Of(Op op, Attributes attributes, TensorType x)
    {
        var d = x.Rank - 2;
        if (d <= 0) throw new ShapeException($"{op.Name}: the input is [N, C, sizes], not {x.Text}");
        var kernel = WindowLists.List(attributes, "kernel", 1, d);
        var stride = attributes.Has("stride") ? WindowLists.List(attributes, "stride", 1, d) : kernel;
        var windows = WindowLists.Of(attributes.With("stride", stride), kernel);
        for (var i = 0; i < d; i++)
        {
            if (2L * windows.Ints("padding")[i] > kernel[i])
                throw new ShapeException($"{op.Name}: padding is at most half of the window");
        }

        return windows;
    }
}

// y = the mean of each window, padding counted as zeros        x_NC(sizes) -> y_NC(places)
internal sealed class AvgPoolNd : CompositeOp
{
    public override string Name => "avg-pool";
    internal override string Settings => "kernel stride padding dilation";

    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var windows = PoolWindows.Of(this, attributes, x[0].Type);
        var shape = WindowShape.Of(this, windows, x[0].Type);
        var means = x[0].Apply(OpTable.Unfold, windows.With("value", 0.0)).Mean([2]);
        return [means.Reshape([x[0].Type[0], x[0].Type[1], .. shape.Out.Select(s => new Dim(s))])];
    }
}
