using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y_n = the mean of x over the rows of the slice that n lies in, element by element        x, y of one shape
// Rows first. Slices are fixed cuts of the batch, so the result does not depend on how they are dealt; a call without
// slices is one slice. A mean is symmetric: dx = the same mean of dy.
internal sealed class SliceMean : FloatOp
{
    public override string Name => "slice-mean";
    public override string Sharding => "!n a... -> n a...; lin(x)";

    internal override bool IsLinearIn(uint inputMask) => true;

    internal override bool NeedsSlices => true;

    internal override Value[]? Batched(OpBatch b)
    {
        int[] swap = [1, 0, .. Enumerable.Range(2, b.RankOf(0) - 1)];
        return [b.Apply(b.Attributes, b.Spread(0).Transpose(swap))[0].Transpose(swap)];
    }

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        var x = inputs[0];
        Require(x.Rank > 0 && x.BatchAxis <= 0 && (!x.IsPerSample || x[0].Size == 1),
            $"the first dimension is the samples, not {x.Text}");
        return [x];
    }

    private protected override void Run<T>(OpCall call)
    {
        var rows = call.Inputs[0].Shape[0];
        if (call.Outputs[0].Count == 0) return;
        var each = (int)(call.Outputs[0].Count / rows);
        Span<int> whole = [0, rows];
        var starts = call.Slices is null ? whole : call.Slices.RowStarts;
        for (var s = 0; s + 1 < starts.Length; s++)
            Average(call.In<T>(0), call.Out<T>(), starts[s], starts[s + 1], each);
    }

    // Sums of rows in float64, row after row.
    private static void Average<T>(ReadOnlySpan<T> x, Span<T> y, int from, int end, int each)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        if (from == end) return;
        for (var i = 0; i < each; i++)
        {
            var sum = 0.0;
            for (var row = from; row < end; row++) sum += double.CreateTruncating(x[(row * each) + i]);
            var mean = T.CreateTruncating(sum / (end - from));
            for (var row = from; row < end; row++) y[(row * each) + i] = mean;
        }
    }

    internal override Value?[] Backward(OpGradient g) => [g.Dy.Apply(this)];
}
