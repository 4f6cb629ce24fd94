using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// Pooling to a given size: place i of m covers the elements floor(i n / m) to ceil((i + 1) n / m) - 1 of n, dimension
/// after dimension. x_NC(sizes) -> y_NC(output).
/// </summary>
internal abstract class AdaptivePool : CompositeOp
{
    internal override string Settings => "output";

    private protected override (int Least, int Most) Arity => (1, 1);

    private protected abstract Value Reduce(Value x, int axis);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var y = x[0];
        Require(y.Type.Rank > 2, $"the input is [N, C, sizes], not {y.Type.Text}");
        var output = WindowLists.List(attributes, "output", 1, y.Type.Rank - 2);
        // From the last dimension, so that the first of equals in row order is chosen first.
        for (var d = output.Length - 1; d >= 0; d--)
        {
            var (axis, n, m) = (d + 2, y.Type[d + 2].Size, output[d]);
            Require(m > 0 && n > 0, "sizes are positive");
            var parts = new Value[m];
            for (var i = 0; i < m; i++)
            {
                var from = (int)((long)i * n / m);
                var end = (int)((((long)(i + 1) * n) + m - 1) / m);
                parts[i] = Reduce(y.Slice(axis, from, end - from), axis);
            }

            y = m == 1 ? parts[0] : Functions.Concat(axis, parts);
        }

        return [y];
    }
}

// y = the mean of each part
internal sealed class AdaptiveAvgPool : AdaptivePool
{
    public override string Name => "adaptive-avg-pool";
    private protected override Value Reduce(Value x, int axis) => x.Mean([axis], keep: true);
}

// y = the largest of each part; of equals the first in row order has the gradient
internal sealed class AdaptiveMaxPool : AdaptivePool
{
    public override string Name => "adaptive-max-pool";
    private protected override Value Reduce(Value x, int axis) => x.Max([axis], keep: true, ties: "first");
}
