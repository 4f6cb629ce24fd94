using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>Which kernels the steps of a plan call, with which sizes: for the memory that kernels keep.</summary>
internal static class PlanScratch
{
    public static void Add(KernelScratch scratch, ProgramPlan plan, StepSlices share)
    {
        foreach (var step in plan.Steps)
        {
            var node = step.Node;
            // Kernels of other element types are the reference ones, which keep next to nothing.
            if (step.Kind is StepKind.Combine or StepKind.CopyGradient || node.Type.DType != DType.Float32) continue;
            Shape At(int input) => plan.Graph.TypeOf(node.Inputs[input]).At(share.Rows);
            var result = node.Type.At(share.Rows);
            if (node.Op == OpTable.Linear) scratch.Gemm(Rows(result), result[-1], At(0)[-1]);
            else if (node.Op == OpTable.MatMul) Product(scratch, plan, step, share, At(0), At(1), result);
            else if (node.Op == OpTable.Conv2d) scratch.Conv2dForward(ImageShapes.Conv(node.Attributes, At(0), At(1)));
            else if (node.Op == OpTable.Conv2dGradInput)
                scratch.Conv2dGradInput(ImageShapes.Conv(node.Attributes, result, At(1)));
            else if (node.Op == OpTable.Conv2dGradWeight)
                scratch.Conv2dGradWeight(
                    ImageShapes.Conv(node.Attributes, At(0), node.Type.At(0)), MapOf(plan, step, share).Segments);
            else if (node.Op == OpTable.Attention)
                scratch.Attention(Ops.Attention.ShapeOf(node.Attributes, At(0)), gradient: false);
            else if (node.Op == OpTable.AttentionGrad)
                scratch.Attention(Ops.Attention.ShapeOf(node.Attributes, At(1)), gradient: true);
            else if (step.Kind == StepKind.Segmented)
                scratch.SegmentedSum(node.Types.Sum(t => t.Coefficient), MapOf(plan, step, share).Segments);
            else scratch.Sums();
        }
    }

    private static void Product(
        KernelScratch scratch, ProgramPlan plan, PlanStep step, StepSlices share, Shape a, Shape b, Shape y)
    {
        var (ta, tb) = (step.Node.Attributes.Flag("ta"), step.Node.Attributes.Flag("tb"));
        if (a.Rank == 2 && b.Rank == 2 && ta && !tb)
            scratch.SegmentedGemm(a[1], b[1], MapOf(plan, step, share).Segments);
        else if (b.Rank == 2 && !ta) scratch.Gemm(Rows(y), y[-1], a[-1]);
        else scratch.Gemm(y[-2], y[-1], a[ta ? -2 : -1]);
    }

    private static SliceMap MapOf(ProgramPlan plan, PlanStep step, StepSlices share)
    {
        var map = new SliceMap();
        if (step.Kind != StepKind.Segmented)
            map.Fill([share.Rows], Math.Max(1, plan.Placement.RowsPerSample(step.Node)), 0, 1, [new TreeNode(0, 0)]);
        else
            map.Fill(share.RowsPerSlice, plan.Placement.RowsPerSample(step.Node), share.FirstSlice, share.Slices,
                plan.Placement.RunsPerSlice(step.Node) ? share.Leaves() : share.Nodes);
        return map;
    }

    private static int Rows(Shape shape) => shape.Count == 0 ? 0 : checked((int)(shape.Count / shape[-1]));
}
