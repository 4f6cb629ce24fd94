using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// One application with its memory. Inputs and outputs are contiguous. The executor keeps one per instruction and runs
/// it every step, so nothing here is made per step.
/// </summary>
internal sealed class OpCall(Attributes attributes, Tensor[] inputs, Tensor[] outputs)
{
    private static readonly TreeNode[] OneNode = [new TreeNode(0, 0)];

    public Attributes Attributes { get; } = attributes;
    public Tensor[] Inputs { get; } = inputs;
    public Tensor[] Outputs { get; } = outputs;
    public DType FloatType { get; } = outputs[0].DType is DType.Float32 or DType.Float64
        || inputs.Length == 0 ? outputs[0].DType : inputs[0].DType;

    /// <summary>The slices of the batch, for an operator that sums the batch away.</summary>
    public SliceMap? Slices { get; init; }

    /// <summary>
    /// Samples of the slices, for a product whose rows are those of samples: a library of the machine gets each slice
    /// by itself. Null: rows of something else.
    /// </summary>
    public SliceMap? RowSlices { get; init; }

    /// <summary>Per output: elements from the result of one node of the slice tree to the next.</summary>
    public int[]? NodeStrides { get; init; }

    /// <summary>The step that the call belongs to; zeros for an eager call.</summary>
    public StepContext Context { get; init; } = StepContext.Zero;

    /// <summary>Prefix sums of <see cref="RowSlices"/>, or nothing.</summary>
    public ReadOnlySpan<int> RowStarts => RowSlices is null ? [] : RowSlices.RowStarts;

    public ReadOnlySpan<T> In<T>(int input) where T : unmanaged => Inputs[input].Raw<T>();
    public Span<T> Out<T>(int output = 0) where T : unmanaged => Outputs[output].Raw<T>();

    /// <summary>The results of all nodes as one stretch of memory.</summary>
    public Span<T> Nodes<T>(int output = 0) where T : unmanaged
    {
        var first = Outputs[output];
        var nodes = Slices?.NodeCount ?? 1;
        if (nodes == 0) return [];
        return first.Storage.Span<T>(first.Offset, ((long)(nodes - 1) * StrideOf(output)) + first.Count);
    }

    /// <summary>The slices of the batch, or all rows as one slice: what an eager call means.</summary>
    /// <param name="rows">Rows of the call.</param>
    /// <param name="starts">Two places, which the result refers to.</param>
    public Segments SegmentsOf(int rows, Span<int> starts)
    {
        if (Slices is not null) return Slices.Segments;
        (starts[0], starts[1]) = (0, rows);
        return new Segments(starts, 0, 1, OneNode);
    }

    public int StrideOf(int output = 0) => NodeStrides?[output] ?? checked((int)Outputs[output].Count);
}
