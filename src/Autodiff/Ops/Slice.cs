using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x[.., start : start + count·step : step, ..] on one axis
// dx = dy put back into zeros (slice-grad)
internal sealed class Slice : Op
{
    public override string Name => "slice";
    internal override string Settings => "axis start count step";
    public override string Sharding => "!s a... -> t a...; lin(x)";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");
    internal override bool OnlyMoves => true;
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        var (x, axis) = (inputs[0], attributes.Int("axis"));
        var (start, step, count) = (attributes.Int("start"), attributes.Int("step", 1), attributes.Int("count"));
        Require((uint)axis < (uint)x.Rank, $"there is no dimension {axis} of {x.Rank}");
        Require(!x[axis].PerSample, "the batch is not cut by a graph: slices of it belong to the executor");
        var last = start + ((long)(count - 1) * step);
        Require(
            start >= 0 && step > 0 && count >= 0 && (count == 0 || last < x[axis].Size),
            $"start {start}, step {step}, count {count} do not fit a dimension of size {x[axis]}");
        var dims = x.Dims.ToArray();
        dims[axis] = count;
        return [x.With(dims)];
    }

    internal override void Forward(OpCall call)
    {
        var (x, y) = (call.Inputs[0], call.Outputs[0]);
        var axis = call.Attributes.Int("axis");
        Span<int> strides = stackalloc int[x.Rank];
        for (var i = 0; i < x.Rank; i++) strides[i] = x.Strides[i];
        var from = (long)call.Attributes.Int("start") * strides[axis];
        strides[axis] *= call.Attributes.Int("step", 1);
        if (y.Count == 0) return;
        switch (x.DType.Size())
        {
            case 1: Run<byte>(x, from, strides, y); break;
            case 4: Run<int>(x, from, strides, y); break;
            default: Run<long>(x, from, strides, y); break;
        }
    }

    private static void Run<T>(Tensor x, long from, ReadOnlySpan<int> strides, Tensor y) where T : unmanaged =>
        Elementwise.CopyStrided<T>(
            y.Shape.Dims, x.Storage.Span<T>(x.Offset + from, x.Count - from), strides,
            y.Storage.Span<T>(y.Offset, y.Count));

    internal override Value?[] Backward(OpGradient g) =>
        [g.Dy.Apply(
            OpTable.SliceGrad,
            g.Attributes.Without("count").With("size", g.X.Type[g.Attributes.Int("axis")].Size))];
}
