using System.Numerics;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Ops;

// y = Σ x over axes        x of rank r, axes ascending, keep: summed dimensions stay as 1
// dx = dy repeated over the axes
internal sealed class Sum : FloatOp
{
    public override string Name => "sum";
    public override string Sharding => "a... +r -> a...";
    internal override string Settings => "axes keep";

    internal override Value[]? Batched(OpBatch b) => b.Along("axes");
    internal override bool IsLinearIn(uint inputMask) => true;
    internal override bool SumsSamples(Attributes attributes) => true;

    internal override int RowsPerSample(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        var axes = attributes.Ints("axes");
        if (inputs[0].BatchAxis != 0 || !Axes.ArePrefix(axes)) return 0;
        var rows = 1;
        foreach (var axis in axes) rows *= inputs[0][axis].Size;
        return rows;
    }

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var axes = attributes.Ints("axes");
        Axes.Check(axes, inputs[0].Rank, Name);
        return [inputs[0].With(Axes.Reduced(inputs[0], axes, attributes.Flag("keep")))];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(inputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));

    private protected override void Run<T>(OpCall call)
    {
        var axes = call.Attributes.Ints("axes");
        if (Axes.ArePrefix(axes) && (call.Slices is not null || axes.Length < call.Inputs[0].Rank)) Leading<T>(call);
        else Reduction.Sum<T>(call, axes.AsSpan());
    }

    // Leading dimensions are rows: the kernel that knows slices, also when there is only one.
    private static void Leading<T>(OpCall call) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = call.Inputs[0];
        var rows = 1;
        foreach (var axis in call.Attributes.Ints("axes")) rows *= x.Shape[axis];
        var n = checked((int)call.Outputs[0].Count);
        if (n == 0) return;
        Span<int> starts = stackalloc int[2];
        var segments = call.SegmentsOf(rows, starts);
        SegmentedSum.Rows(call.In<T>(0), n, call.Nodes<T>(), call.StrideOf(), segments);
    }

    internal override Value?[] Backward(OpGradient g) => [Reduction.Spread(g.Dy, g.X, g.Attributes)];
}
