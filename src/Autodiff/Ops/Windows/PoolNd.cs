using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>Pooling over windows of any number of dimensions, each with its own size, stride and padding.</summary>
internal abstract class PoolNd : CompositeOp
{
    internal override string Settings => "kernel stride padding dilation";

    private protected override (int Least, int Most) Arity => (1, 1);

    private protected abstract double Outside { get; }

    private protected abstract Value Pool(Value windows, Attributes attributes);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var d = x[0].Type.Rank - 2;
        Require(d > 0, $"the input is [N, C, sizes], not {x[0].Type.Text}");
        var kernel = WindowLists.List(attributes, "kernel", 1, d);
        var stride = attributes.Has("stride") ? WindowLists.List(attributes, "stride", 1, d) : kernel;
        var windows = WindowLists.Of(attributes.With("stride", stride), kernel);
        for (var i = 0; i < d; i++) Require(2 * windows.Ints("padding")[i] <= kernel[i],
            "padding is at most half of the window");
        var shape = WindowShape.Of(this, windows, x[0].Type);
        var columns = x[0].Apply(OpTable.Unfold, windows.With("value", Outside));
        return [Pool(columns, attributes).Reshape([x[0].Type[0], x[0].Type[1], .. shape.Out.Select(s => new Dim(s))])];
    }
}

// y = the largest of each window; of equals the first has the gradient, as in max-pool2d, unless the attribute ties
// says last or share
// x_NC(sizes) -> y_NC(places)
internal sealed class MaxPoolNd : PoolNd
{
    public override string Name => "max-pool";
    internal override string Settings => "kernel stride padding dilation ties";
    private protected override double Outside => double.NegativeInfinity;
    private protected override Value Pool(Value windows, Attributes attributes) =>
        windows.Max([2], ties: attributes.Text(Ties.Attribute, "first"));
}

// y = the mean of each window, padding counted as zeros        x_NC(sizes) -> y_NC(places)
internal sealed class AvgPoolNd : PoolNd
{
    public override string Name => "avg-pool";
    private protected override double Outside => 0;
    private protected override Value Pool(Value windows, Attributes attributes) => windows.Mean([2]);
}
