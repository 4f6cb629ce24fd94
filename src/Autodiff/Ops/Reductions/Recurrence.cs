using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y_i = a_i y_{i-1} + b_i on one axis, in float64; from the end where reverse is set        a, b, y of one shape
// db_i = dy_i + a_{i+1} db_{i+1}, a recurrence from the other end; da_i = db_i y_{i-1}
internal sealed class Recurrence : FloatOp
{
    public override string Name => "recurrence";
    internal override string Settings => "axis reverse";
    public override string Sharding => "!t a..., !t a... -> t a...; lin(b)";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");
    internal override bool IsLinearIn(uint inputMask) => inputMask == 2;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs);
        Require(inputs[0].Equals(inputs[1]), $"{inputs[0].Text} and {inputs[1].Text} are not of one shape");
        AxisSpan.Check(this, attributes, inputs[0]);
        return [inputs[0]];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(2 * outputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));

    private protected override void Run<T>(OpCall call)
    {
        var a = call.In<T>(0);
        var b = call.In<T>(1);
        var y = call.Out<T>();
        var s = AxisSpan.Of(call.Inputs[0].Shape, call.Attributes.Int("axis"));
        var reverse = call.Attributes.Flag("reverse");
        for (var o = 0; o < s.Outer; o++)
        {
            for (var i = 0; i < s.Inner; i++)
            {
                var state = 0.0;
                for (var k = 0; k < s.Size; k++)
                {
                    var at = s.At(o, reverse ? s.Size - 1 - k : k, i);
                    // The first has nothing before it: an infinite a there would make 0 a NaN.
                    var carried = k == 0 ? 0 : double.CreateTruncating(a[at]) * state;
                    y[at] = T.CreateTruncating(state = carried + double.CreateTruncating(b[at]));
                }
            }
        }
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (axis, reverse) = (g.Attributes.Int("axis"), g.Attributes.Flag("reverse"));
        var db = After(g.X, axis, reverse, 0).Recurrence(g.Dy, axis, !reverse);
        return [g.Needs(0) ? db * Before(g.Y, axis, reverse, 0) : null, db];
    }

    /// <summary>The element that comes before each on an axis, as a running operator goes; the fill before the
    /// first.</summary>
    public static Value Before(Value x, int axis, bool reverse, double fill) => Moved(x, axis, reverse, fill);

    /// <summary>The element that comes after each; the fill after the last.</summary>
    public static Value After(Value x, int axis, bool reverse, double fill) => Moved(x, axis, !reverse, fill);

    private static Value Moved(Value x, int axis, bool towardsStart, double fill)
    {
        var size = x.Type[axis].Size;
        if (size == 0) return x;
        var end = x.Builder.Full(fill, x.Type.With(x.Type.Dims.SetItem(axis, 1).AsSpan()));
        if (size == 1) return end;
        return towardsStart ? Functions.Concat(axis, x.Slice(axis, 1, size - 1), end)
            : Functions.Concat(axis, end, x.Slice(axis, 0, size - 1));
    }
}
