using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Ops;

// y = act(x wᵀ + b)        x_..K, w_FK (with columns: w_KF, and x w), b_F (optional) -> y_..F        flops 2·rows·K·F
// dz = dy act'(y); dx = dz w, dw = dzᵀ x (with columns: dz wᵀ and xᵀ dz), db = Σ rows of dz
// The activation is fused by a pass, only where its gradient follows from y; columns are those of a fused matmul.
internal sealed class Linear : FloatOp
{
    public override string Name => "linear";
    public override string Sharding => "... +k, n +k, n -> ... n";
    internal override string Settings => "activation columns";
    internal override bool MultipliesRows => true;

    private static bool HasColumns(Attributes attributes) => attributes.Flag("columns");

    // Rows are samples already; weights of each sample are the leading dimension of a matrix product.
    internal override Value[]? Batched(OpBatch b)
    {
        var hasBias = b.Inputs.Count == 3;
        if (!b.Carries(1) && (!hasBias || !b.Carries(2))) return b.Apply(b.Attributes, [.. b.Inputs]);
        var rank = Math.Max(b.RankOf(0), 2);
        var x = b.Lifted(0, rank);
        var y = x.MatMul(b.Carries(1) ? b.Lifted(1, rank) : b.Inputs[1], tb: !HasColumns(b.Attributes));
        if (hasBias) y += b.Lifted(2, rank);
        y = Activations.Apply(b.Attributes.Text("activation"), y);
        return [b.RankOf(0) == 1 ? y.Squeeze(y.Type.Rank - 2) : y];
    }

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        Require(inputs.Length is 2 or 3, $"takes 2 or 3 inputs, not {inputs.Length}");
        RequireFloat(inputs);
        var (x, w) = (inputs[0], inputs[1]);
        Require(x.Rank >= 1 && w.Rank == 2, $"takes rows and a matrix, not {x.Text} and {w.Text}");
        Require(!w.IsPerSample && !x[-1].PerSample, "the batch is not a dimension of the weights");
        var (results, terms) = HasColumns(attributes) ? (w[1], w[0]) : (w[0], w[1]);
        Require(x[-1] == terms, $"rows of {x[-1]} do not fit a weight of {w.Text}: it is "
            + (HasColumns(attributes) ? $"[{x[-1]}, results]" : $"[results, {x[-1]}]"));
        Require(inputs.Length == 2 || inputs[2].Equals(w.With(results)),
            $"a bias has the shape [{results}] for a weight of {w.Text}, not {inputs[^1].Text}");
        Require(Activations.IsKnown(attributes.Text("activation")), "the activation is unknown");
        return [x.With([.. x.Dims.AsSpan()[..^1], results])];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(2 * inputs[0][-1].Size * outputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));

    private protected override void Run<T>(OpCall call)
    {
        var w = call.Inputs[1].Shape;
        var columns = HasColumns(call.Attributes);
        var (n, k) = columns ? (w[1], w[0]) : (w[0], w[1]);
        if (call.Outputs[0].Count == 0) return;
        var rows = checked((int)(call.Outputs[0].Count / n));
        var bias = call.Inputs.Length == 3 ? call.In<T>(2) : default;
        var activation = Activations.Kernel(call.Attributes.Text("activation"));
        // Columns came from matmul: where a library multiplies, its thresholds stay those of matmul, as do the bits.
        SlicedGemm.Run(!columns, !columns, rows, n, k, call.In<T>(0), call.In<T>(1), w[1], call.Out<T>(),
            call.RowStarts, bias, activation);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var dz = Activations.Gradient(g.Attributes.Text("activation"), g.Dy, g.Y);
        var rows = dz.Flatten2D();
        var columns = HasColumns(g.Attributes);
        var dx = g.Needs(0) ? dz.MatMul(g.Inputs[1], tb: columns) : null;
        var dw = !g.Needs(1) ? null
            : columns ? g.X.Flatten2D().MatMul(rows, ta: true) : rows.MatMul(g.X.Flatten2D(), ta: true);
        if (g.Inputs.Count == 2) return [dx, dw];
        return [dx, dw, g.Needs(2) ? rows.Sum([0]) : null];
    }
}
