using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// A step of a plan with its memory for one number of rows and one share: running it makes nothing new.
/// </summary>
internal abstract class BoundStep(int[] ready)
{
    public int[] Ready { get; } = ready;

    /// <summary>Its calls of an operator; null for a slice that is absent.</summary>
    public virtual IReadOnlyList<OpCall?> Calls => [];

    public abstract void Run();
}

internal sealed class CallStep(Op op, OpCall[] calls, int[] ready) : BoundStep(ready)
{
    public override IReadOnlyList<OpCall?> Calls => calls;

    public override void Run()
    {
        try
        {
            foreach (var call in calls) op.Forward(call);
        }
        catch (Exception failure) when (OperatorStack.Note(failure, op.Name))
        {
            throw;
        }
    }
}

/// <summary>Calls on the rows of single slices; rows that are not contiguous are copied together first.</summary>
internal sealed class SliceCallStep(Op op, OpCall?[] calls, (Tensor From, Tensor To)[] copies, int[] ready)
    : BoundStep(ready)
{
    public override IReadOnlyList<OpCall?> Calls => calls;

    public override void Run()
    {
        foreach (var (from, to) in copies) to.CopyFrom(from);
        try
        {
            foreach (var call in calls)
                if (call is not null) op.Forward(call);
        }
        catch (Exception failure) when (OperatorStack.Note(failure, op.Name))
        {
            throw;
        }
    }
}

internal sealed class CopyStep((Tensor From, Tensor To)[] copies, int[] ready) : BoundStep(ready)
{
    public override void Run()
    {
        foreach (var (from, to) in copies) to.CopyFrom(from);
    }
}

/// <summary>
/// Results of slices to results of nodes by the tree rule: an absent child leaves the other child's bits. The sums are
/// made in copies, because later steps may still read the results of the slices.
/// </summary>
internal sealed class CombineStep(
    Tensor[] slices, bool[] present, Tensor[] scratch, int firstSlice, TreeNode[] nodes, Tensor[] results, int[] ready)
    : BoundStep(ready)
{
    public override void Run()
    {
        for (var i = 0; i < slices.Length; i++)
            if (present[i]) scratch[i].CopyFrom(slices[i]);
        for (var i = 0; i < nodes.Length; i++)
        {
            var at = Sum(nodes[i]);
            if (at < 0) results[i].Raw<float>().Clear();
            else results[i].CopyFrom(scratch[at]);
        }
    }

    // The scratch tensor that holds the node's sum afterwards, or -1 when the node is absent.
    private int Sum(TreeNode node)
    {
        if (node.FirstLeaf >= firstSlice + slices.Length || node.EndLeaf <= firstSlice) return -1;
        if (node.Level == 0) return present[node.Index - firstSlice] ? node.Index - firstSlice : -1;
        var (left, right) = (Sum(node.Left), Sum(node.Right));
        if (left < 0 || right < 0) return Math.Max(left, right);
        AxpyTree.Add(scratch[left].Raw<float>(), (ReadOnlySpan<float>)scratch[right].Raw<float>());
        return left;
    }
}
