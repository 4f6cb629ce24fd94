using Convoy.Shared;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// A share of a step's slices: the share starts at <paramref name="firstSlice"/> of S <paramref name="slices"/>, slice
/// i of it has rowsPerSlice[i] rows (0: absent), and gradients are wanted for <paramref name="nodes"/>, the cover of
/// the share.
/// </summary>
public sealed class StepSlices
{
    private readonly int[] _rows;

    public StepSlices(int slices, int firstSlice, IReadOnlyList<int> rowsPerSlice, TreeNode[] nodes)
    {
        Invariant.Check(
            firstSlice >= 0 && firstSlice + rowsPerSlice.Count <= slices,
            "EX-1 a share lies inside the slices of its step");
        (Slices, FirstSlice, Nodes) = (slices, firstSlice, nodes);
        _rows = [.. rowsPerSlice];
        foreach (var rows in _rows) Rows += rows;
    }

    public int Slices { get; }
    public int FirstSlice { get; }
    public TreeNode[] Nodes { get; }
    /// <summary>Rows of the whole share.</summary>
    public int Rows { get; }
    public ReadOnlySpan<int> RowsPerSlice => _rows;

    /// <summary>A step that is one slice and one node.</summary>
    public static StepSlices Single(int rows) => new(1, 0, [rows], [new TreeNode(0, 0)]);

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
    public double Loss => Weight == 0 ? 0 : LossSum / Weight;
    public double Accuracy => Counted == 0 ? 0 : (double)Correct / Counted;

    public static EvalResult operator +(EvalResult a, EvalResult b) =>
        new(a.LossSum + b.LossSum, a.Weight + b.Weight, a.Correct + b.Correct, a.Counted + b.Counted);
}
