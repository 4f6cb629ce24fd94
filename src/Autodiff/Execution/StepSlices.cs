using Convoy.Shared;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// A share of a step's slices: from <see cref="FirstSlice"/> of S <see cref="Slices"/> on, slice i of it with
/// <see cref="RowsPerSlice"/>[i] rows (0: absent), and with gradients for <see cref="Nodes"/>, the cover of the share.
/// </summary>
public sealed class StepSlices
{
    private readonly int[] _rows;

    /// <summary>A share of a step.</summary>
    /// <param name="slices">S, the slices of the whole step.</param>
    /// <param name="firstSlice">The first of this share, 0 to S - 1.</param>
    /// <param name="rowsPerSlice">Samples of each slice of the share; 0: absent.</param>
    /// <param name="nodes">Nodes of the slice tree for which gradients are wanted: the cover of the share.</param>
    public StepSlices(int slices, int firstSlice, IReadOnlyList<int> rowsPerSlice, TreeNode[] nodes)
    {
        Invariant.Check(
            firstSlice >= 0 && firstSlice + rowsPerSlice.Count <= slices,
            "EX-1 a share lies inside the slices of its step");
        (Slices, FirstSlice, Nodes) = (slices, firstSlice, nodes);
        _rows = [.. rowsPerSlice];
        foreach (var rows in _rows) Rows += rows;
    }

    /// <summary>Slices of the whole step.</summary>
    public int Slices { get; }
    /// <summary>The first slice of the share.</summary>
    public int FirstSlice { get; }
    /// <summary>The cover of the share, one gradient vector for each.</summary>
    public TreeNode[] Nodes { get; }
    /// <summary>Rows of the whole share.</summary>
    public int Rows { get; }
    /// <summary>Samples of each slice of the share.</summary>
    public ReadOnlySpan<int> RowsPerSlice => _rows;

    /// <summary>A step that is one slice and one node.</summary>
    public static StepSlices Single(int rows) => new(1, 0, [rows], [new TreeNode(0, 0)]);

    /// <summary>The slices of the share as nodes of the tree.</summary>
    internal TreeNode[] Leaves()
    {
        var leaves = new TreeNode[_rows.Length];
        for (var i = 0; i < leaves.Length; i++) leaves[i] = new TreeNode(0, FirstSlice + i);
        return leaves;
    }

    internal bool SameAs(StepSlices other) =>
        ReferenceEquals(this, other)
        || (Slices == other.Slices && FirstSlice == other.FirstSlice && _rows.AsSpan().SequenceEqual(other._rows)
            && Nodes.AsSpan().SequenceEqual(other.Nodes));
}

/// <summary>Hears when gradients are final, so that they can travel while the backward pass goes on.</summary>
public interface IGradientObserver
{
    /// <summary>All node gradients of a parameter are written. Called on the thread of the step.</summary>
    void OnParameterReady(int slot);
}

/// <summary>
/// Loss over some samples, its weight (samples, or samples x tokens), and how many of the counted answers were right.
/// </summary>
public readonly record struct EvalResult(double LossSum, double Weight, long Correct, long Counted)
{
    /// <summary>The mean loss, natural logarithm for cross-entropy; 0 where nothing was weighed.</summary>
    public double Loss => Weight == 0 ? 0 : LossSum / Weight;
    /// <summary>The share of right answers, 0 to 1; 0 where nothing was counted.</summary>
    public double Accuracy => Counted == 0 ? 0 : (double)Correct / Counted;

    /// <summary>Both sets of samples together.</summary>
    public static EvalResult operator +(EvalResult a, EvalResult b) =>
        new(a.LossSum + b.LossSum, a.Weight + b.Weight, a.Correct + b.Correct, a.Counted + b.Counted);
}
