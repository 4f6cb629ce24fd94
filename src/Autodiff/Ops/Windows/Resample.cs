using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y[.., i, ..] = Σ_j w_ij x[.., j, ..] on one axis of size n -> size m
// nearest: w picks j = floor(i n / m); linear: the two neighbours of (i + ½) n / m - ½, kept inside
// dx = the transposed sum (adjoint), so the operator is its own gradient
internal sealed class Resample : FloatOp
{
    public override string Name => "resample";
    internal override string Settings => "axis size mode adjoint";
    public override string Sharding => "!t a... -> s a...; lin(x)";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var axis = AxisSpan.Check(this, attributes, inputs[0]);
        Require(attributes.Text("mode", "nearest") is "nearest" or "linear", "the mode is nearest or linear");
        Require(attributes.Int("size") > 0 && inputs[0][axis].Size > 0, "there is at least one element on the axis");
        return [inputs[0].With(inputs[0].Dims.SetItem(axis, attributes.Int("size")).AsSpan())];
    }

    private protected override void Run<T>(OpCall call)
    {
        var axis = call.Attributes.Int("axis");
        var (from, to) = (AxisSpan.Of(call.Inputs[0].Shape, axis), AxisSpan.Of(call.Outputs[0].Shape, axis));
        var x = call.In<T>(0);
        var y = call.Out<T>();
        var adjoint = call.Attributes.Flag("adjoint");
        var linear = call.Attributes.Text("mode", "nearest") == "linear";
        var (n, m) = adjoint ? (to.Size, from.Size) : (from.Size, to.Size);
        y.Clear();
        for (var o = 0; o < to.Outer; o++)
        {
            for (var i = 0; i < m; i++)
            {
                var (low, high, share) = Neighbours(i, n, m, linear);
                foreach (var (j, weight) in new[] { (low, 1 - share), (high, share) })
                {
                    if (weight == 0) continue;
                    var w = T.CreateTruncating(weight);
                    var (source, target) = adjoint ? (from.At(o, i, 0), to.At(o, j, 0))
                        : (from.At(o, j, 0), to.At(o, i, 0));
                    for (var k = 0; k < to.Inner; k++) y[target + k] += w * x[source + k];
                }
            }
        }
    }

    private static (int Low, int High, double Share) Neighbours(int i, int n, int m, bool linear)
    {
        if (!linear) return ((int)((long)i * n / m), 0, 0);
        var at = Math.Max((((i + 0.5) * n) / m) - 0.5, 0);
        var low = Math.Min((int)at, n - 1);
        return (low, Math.Min(low + 1, n - 1), at - low);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var axis = g.Attributes.Int("axis");
        var back = g.Attributes.With("adjoint", !g.Attributes.Flag("adjoint")).With("size", g.X.Type[axis].Size);
        return [g.Dy.Apply(this, back)];
    }
}
