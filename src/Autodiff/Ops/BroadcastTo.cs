using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x repeated to dims        dimensions of size 1, and missing leading ones, are repeated
// dx = the sum of dy over what was repeated (done by the gradient builder)
internal sealed class BroadcastTo : Op
{
    public override string Name => "broadcast-to";
    internal override string Settings => "dims";
    public override string Sharding => "a 1 -> a n; lin(x)";

    // A dimension that is new to every sample comes behind the samples.
    internal override Value[]? Batched(OpBatch b)
    {
        var dims = b.Attributes.Dims("dims");
        return b.Apply(Attributes.Of("dims", (Dim[])[b.Rows, .. dims]), b.Lifted(0, dims.Length));
    }
    internal override bool OnlyMoves => true;
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        var y = inputs[0].With(attributes.Dims("dims").AsSpan());
        Require(
            Broadcasting.Common(this, inputs[0], y).Equals(y), $"{inputs[0].Text} cannot be repeated to {y.Text}: only dimensions of 1, and new leading ones, are");
        return [y];
    }

    internal override void Forward(OpCall call)
    {
        var (x, y) = (call.Inputs[0], call.Outputs[0]);
        if (y.Count == 0) return;
        Span<int> strides = stackalloc int[y.Rank];
        Broadcasting.Repeated(x.Shape.Dims, strides);
        switch (x.DType.Size())
        {
            case 1: Run<byte>(x, strides, y); break;
            case 4: Run<int>(x, strides, y); break;
            default: Run<long>(x, strides, y); break;
        }
    }

    private static void Run<T>(Tensor x, ReadOnlySpan<int> strides, Tensor y) where T : unmanaged
    {
        var from = x.Storage.Span<T>(x.Offset, x.Count);
        var to = y.Storage.Span<T>(y.Offset, y.Count);
        if (x.Count == 1) to.Fill(from[0]);
        else Elementwise.CopyStrided<T>(y.Shape.Dims, from, strides, to);
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy];
}
