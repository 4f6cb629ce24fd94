using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Ops;

// y[.., i, ..] = x[.., i, .., i, ..]: axes a < b of equal size become one, at the place of a
// dx = dy on the diagonal of zeros (diagonal-embed)
internal sealed class Diagonal : FloatOp
{
    public override string Name => "diagonal";
    internal override string Settings => "a b";
    public override string Sharding => "!i !i a... -> i a...; lin(x)";

    internal override Value[]? Batched(OpBatch b) => b.Along("a", "b");
    internal override bool OnlyMoves => true;
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var (x, a, b) = (inputs[0], attributes.Int("a"), attributes.Int("b"));
        Require(a >= 0 && a < b && b < x.Rank, $"there are no dimensions {a} < {b} of {x.Rank}");
        Require(x[a] == x[b] && !x[a].PerSample, $"dimensions {a} and {b} of {x.Text} differ");
        var dims = x.Dims.ToList();
        dims.RemoveAt(b);
        return [x.With([.. dims])];
    }

    private protected override void Run<T>(OpCall call)
    {
        var (x, y) = (call.Inputs[0], call.Outputs[0]);
        var (a, b) = (call.Attributes.Int("a"), call.Attributes.Int("b"));
        if (y.Count == 0) return;
        Span<int> strides = stackalloc int[y.Rank];
        for (var i = 0; i < y.Rank; i++) strides[i] = x.Strides[i < b ? i : i + 1];
        strides[a] += x.Strides[b];
        Elementwise.CopyStrided(y.Shape.Dims, call.In<T>(0), strides, call.Out<T>());
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy.Apply(OpTable.DiagonalEmbed, g.Attributes)];
}
