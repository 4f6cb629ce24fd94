using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = a b        a_BMK (or a_BKM with ta), b_BKN (or b_BNK with tb) -> y_BMN; B: leading dimensions, repeated where 1
// da = dy bᵀ     db = aᵀ dy        flops 2·B·M·N·K
internal sealed class MatMul : FloatOp
{
    public override string Name => "matmul";
    public override string Sharding => "b... m +k, b... +k n -> b... m n";
    internal override string Settings => "ta tb";
    internal override bool MultipliesRows => true;

    internal override Value[]? Batched(OpBatch b)
    {
        var rank = Math.Max(b.RankOf(0), b.RankOf(1));
        return b.Apply(b.Attributes, b.Lifted(0, rank), b.Lifted(1, rank));
    }
    internal override bool IsLinearIn(uint inputMask) => inputMask is 1 or 2;
    internal override bool SumsSamples(Attributes attributes) => true;

    // A weight gradient: the rows of both operands are the batch.
    internal override int RowsPerSample(Attributes attributes, ReadOnlySpan<TensorType> inputs) =>
        inputs[0].Rank == 2 && inputs[1].Rank == 2 && attributes.Flag("ta") && !attributes.Flag("tb")
        && inputs[0].BatchAxis == 0 && inputs[1].BatchAxis == 0 ? inputs[0][0].Size : 0;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs);
        var (a, b) = (inputs[0], inputs[1]);
        Require(a.Rank >= 2 && b.Rank >= 2, $"takes matrices, not {a.Text} and {b.Text}");
        var (m, k) = attributes.Flag("ta") ? (a[-1], a[-2]) : (a[-2], a[-1]);
        var (k2, n) = attributes.Flag("tb") ? (b[-1], b[-2]) : (b[-2], b[-1]);
        Require(k == k2, $"{a.Text} and {b.Text} have different inner dimensions {k} and {k2}: transpose one of them");
        var lead = Broadcasting.Common(this, a.With(a.Dims.AsSpan()[..^2]), b.With(b.Dims.AsSpan()[..^2]));
        return [a.With([.. lead.Dims, m, n])];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows)
    {
        var k = inputs[0][attributes.Flag("ta") ? -2 : -1].At(rows);
        return new OpCost(2 * k * outputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));
    }

    private protected override void Run<T>(OpCall call)
    {
        var (a, b, y) = (call.Inputs[0], call.Inputs[1], call.Outputs[0]);
        var (ta, tb) = (call.Attributes.Flag("ta"), call.Attributes.Flag("tb"));
        if (a.Rank == 2 && b.Rank == 2 && ta && !tb) Weights<T>(call);
        else if (b.Rank == 2 && !ta) Plain<T>(call, tb);
        else Batched<T>(call, a, b, y, ta, tb);
    }

    // aᵀ b of two tall matrices: always the kernel that knows slices, so that one slice and many give the same bits.
    private static void Weights<T>(OpCall call) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var (a, b) = (call.Inputs[0], call.Inputs[1]);
        Span<int> starts = stackalloc int[2];
        var segments = call.SegmentsOf(a.Shape[0], starts);
        SegmentedGemm.Run(
            a.Shape[1], b.Shape[1], call.In<T>(0), call.In<T>(1), call.Nodes<T>(), call.StrideOf(), segments);
    }

    // One matrix for all rows of a: its leading dimensions are rows like any other.
    private static void Plain<T>(OpCall call, bool tb) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var (b, y) = (call.Inputs[1], call.Outputs[0]);
        var (k, n) = tb ? (b.Shape[1], b.Shape[0]) : (b.Shape[0], b.Shape[1]);
        var m = n == 0 ? 0 : checked((int)(y.Count / n));
        if (y.Count == 0) return;
        SlicedGemm.Run(
            false, tb, m, n, k, call.In<T>(0), call.In<T>(1), b.Shape[1], call.Out<T>(), call.RowStarts);
    }

    private static void Batched<T>(OpCall call, Tensor a, Tensor b, Tensor y, bool ta, bool tb)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var (m, n, k) = (y.Shape[-2], y.Shape[-1], a.Shape[ta ? -2 : -1]);
        if (y.Count == 0) return;
        var (sizeA, sizeB) = (m * k, k * n);
        var lead = y.Shape.Dims[..^2];
        Span<int> stridesA = stackalloc int[lead.Length];
        Span<int> stridesB = stackalloc int[lead.Length];
        Broadcasting.Repeated(a.Shape.Dims[..^2], stridesA);
        Broadcasting.Repeated(b.Shape.Dims[..^2], stridesB);
        var batch = (int)(y.Count / ((long)m * n));
        var x = call.In<T>(0);
        var w = call.In<T>(1);
        var z = call.Out<T>();
        for (var i = 0; i < batch; i++)
        {
            var (atA, atB, rest) = (0, 0, i);
            for (var axis = lead.Length - 1; axis >= 0; axis--)
            {
                var index = rest % lead[axis];
                rest /= lead[axis];
                atA += index * stridesA[axis];
                atB += index * stridesB[axis];
            }

            Gemm.Run(
                ta, tb, m, n, k, x.Slice(atA * sizeA, sizeA), ta ? m : k, w.Slice(atB * sizeB, sizeB), tb ? k : n,
                z.Slice(i * m * n, m * n), n);
        }
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (a, b, dy) = (g.X, g.Inputs[1], g.Dy);
        var (ta, tb) = (g.Attributes.Flag("ta"), g.Attributes.Flag("tb"));
        return [g.Needs(0) ? GradA(a, b, dy, ta, tb) : null, g.Needs(1) ? GradB(a, b, dy, ta, tb) : null];
    }

    private static Value GradA(Value a, Value b, Value dy, bool ta, bool tb) =>
        ta ? b.MatMul(dy, ta: tb, tb: true) : dy.MatMul(b, tb: !tb);

    private static Value GradB(Value a, Value b, Value dy, bool ta, bool tb)
    {
        if (b.Type.Rank == 2 && a.Type.Rank > 2 && !ta)
        {
            // A weight shared by all leading rows: one tall product instead of many small ones and their sum.
            a = a.Flatten2D();
            dy = dy.Flatten2D();
        }

        return tb ? dy.MatMul(a, ta: true, tb: ta) : a.MatMul(dy, ta: !ta);
    }
}
