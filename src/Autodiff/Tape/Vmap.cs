using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// Turns a function of one sample into a function of many: every operator of it is applied once to all samples,
/// which lie
/// along a new first dimension that the function does not see. Operators without a rule for that are applied sample by
/// sample, with the same result.
/// </summary>
public static class Vmap
{
    /// <summary>f at each row of the inputs (first dimension), results stacked on a first dimension.</summary>
    /// <param name="f">Sees operands without their first dimension.</param>
    /// <param name="inputs">Operands with equally many rows.</param>
    /// <param name="shared">Per operand: true when it is the same for all samples and has no such dimension.</param>
    public static Value Run(Func<Value[], Value> f, IReadOnlyList<Value> inputs, IReadOnlyList<bool>? shared = null)
    {
        var rows = -1;
        for (var i = 0; i < inputs.Count; i++)
        {
            if (shared?[i] == true) continue;
            if (inputs[i].Type.Rank == 0) throw new ShapeException($"vmap: operand {i} has no first dimension");
            if (rows >= 0 && inputs[i].Type[0].Size != rows)
                throw new ShapeException($"vmap: operand {i} has {inputs[i].Type[0]} rows, another has {rows}");
            rows = inputs[i].Type[0].Size;
        }

        if (rows < 0) throw new ShapeException("vmap: no operand has samples");
        var level = inputs.Max(v => v.Builder.Level);
        var builder = new BatchBuilder(inputs.First(v => v.Builder.Level == level).Builder, rows);
        var result = f([.. inputs.Select((v, i) => shared?[i] == true ? v : builder.Batch(v))]);
        return builder.Rows(result);
    }

    /// <summary>
    /// The gradient of each sample's loss with respect to the parameters, stacked on a first dimension: what
    /// clipping or
    /// measuring single samples needs. One forward and one backward pass over all samples.
    /// </summary>
    /// <param name="loss">The loss of one sample, one number, from the parameters and the sample's data.</param>
    public static IReadOnlyList<Tensor> PerSampleGradients(
        Func<Value[], Value[], Value> loss, IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> data)
    {
        if (data.Count == 0
            || data[0].Rank == 0) throw new ShapeException("per-sample gradients: the data has no samples");
        var rows = data[0].Shape[0];
        // A copy of every parameter for each sample: the gradient of the sum keeps the samples apart.
        Variable[] copies =
        [
            .. parameters.Select(p => new Variable(p.BroadcastTo(new Shape([rows, .. p.Shape.Dims])).Copy(), true)),
        ];
        Value[] all = [.. copies, .. data.Select(d => new Variable(d))];
        var losses = Run(x => loss(x[..copies.Length], x[copies.Length..]), all);
        if (losses.Type.Rank != 1) throw new ShapeException(
            $"per-sample gradients: the loss of a sample is {losses.Type.Text}, not one number");
        return [.. Differentiate.Gradient([(Variable)losses.Sum()], copies).Select(g => g.Data)];
    }
}

/// <summary>Applies operators to all samples at once.</summary>
internal sealed class BatchBuilder(Builder inner, int rows) : Builder
{
    internal override int Level => inner.Level + 1;

    public Value Batch(Value value) => new Batched(this, value);

    /// <summary>The value with its first dimension; one that is the same for all samples is repeated.</summary>
    public Value Rows(Value value) => value is Batched b && b.Owner == this ? b.Inner
        : value.Unsqueeze(0).BroadcastTo([rows, .. value.Type.Dims]);

    private protected override Value[] Record(Op op, Attributes attributes, Value[] inputs)
    {
        if (!inputs.Any(Owns)) return inner.Apply(op, attributes, inputs);
        var results = BatchRules.Apply(inner, op, attributes, [.. inputs.Select(Bare)], [.. inputs.Select(Owns)])
            ?? OneByOne(op, attributes, inputs);
        return [.. results.Select(Batch)];
    }

    private Value[] OneByOne(Op op, Attributes attributes, Value[] inputs)
    {
        if (rows == 0) throw new ShapeException($"vmap: {op.Name} has no rule for no samples");
        var all = new List<Value[]>();
        for (var r = 0; r < rows; r++)
        {
            var row = r;
            all.Add(inner.Apply(op, attributes, [.. inputs.Select(v => Owns(v) ? Row(Bare(v), row) : v)]));
        }

        if (all[0].Any(v => v.Type.DType is not (DType.Float32 or DType.Float64)))
            throw new ShapeException($"vmap: {op.Name} has whole numbers as results and no rule for many samples");
        return [.. Enumerable.Range(0, all[0].Length).Select(n => Functions.Stack(0, [.. all.Select(a => a[n])]))];
    }

    private static Value Row(Value value, int row) => value.Slice(0, row, 1).Squeeze(0);

    private bool Owns(Value value) => value is Batched b && b.Owner == this;

    private Value Bare(Value value) => Owns(value) ? ((Batched)value).Inner : value;

    private sealed class Batched(BatchBuilder owner, Value inner) : Value
    {
        public BatchBuilder Owner => owner;
        public Value Inner => inner;
        public override TensorType Type { get; } = inner.Type.With(inner.Type.Dims.AsSpan()[1..]);
        internal override Builder Builder => owner;
    }
}

/// <summary>One application for all samples, per kind of operator; null where there is no rule.</summary>
internal static class BatchRules
{
    private static readonly Op[] AlongAnAxis =
    [
        OpTable.Slice, OpTable.SliceGrad, OpTable.Concat, OpTable.Flip, OpTable.CumSum, OpTable.CumProd, OpTable.Sort,
        OpTable.TopK, OpTable.ArgMax, OpTable.ArgMin, OpTable.Gather, OpTable.ScatterAdd,
    ];

    public static Value[]? Apply(Builder builder, Op op, Attributes a, Value[] x, bool[] batched)
    {
        if (op.Sharding is "a... -> a..." && a.Entries.All(e => e.Key != "dims")) return builder.Apply(op, a, x);
        if (op.Sharding is "a..., a... -> a..." or "a..., a..., a... -> a...") return builder.Apply(op, a,
            Aligned(x, batched));
        if (op == OpTable.Softmax || op == OpTable.LogSoftmax) return builder.Apply(op, a, x);
        if (op == OpTable.Sum || op == OpTable.Mean || op == OpTable.Max || op == OpTable.Min || op == OpTable.Product)
            return builder.Apply(op, a.With("axes", a.Ints("axes").Select(i => i + 1).ToArray()), x);
        if (op == OpTable.Reshape || op == OpTable.BroadcastTo) return Shaped(builder, op, a, x[0]);
        if (op == OpTable.Transpose)
            return builder.Apply(op, Attributes.Of("perm", (int[])[0, .. a.Ints("perm").Select(i => i + 1)]), x);
        if (AlongAnAxis.Contains(op) && batched.All(b => b)) return builder.Apply(op, a.With("axis", a.Int("axis") + 1),
            x);
        if (op == OpTable.MatMul) return [Product(x, batched, a.Flag("ta"), a.Flag("tb"))];
        if (op == OpTable.Linear && a.Text("activation").Length == 0) return [Affine(x, batched)];
        if (op is MatrixOp && batched.All(b => b)) return builder.Apply(op, a, x);
        return null;
    }

    // Ranks are made equal behind the samples, so that what repeats is what the function meant.
    private static Value[] Aligned(Value[] x, bool[] batched)
    {
        var rank = x.Select((v, i) => v.Type.Rank - (batched[i] ? 1 : 0)).Max();
        return
        [
            .. x.Select((v, i) =>
            {
                var missing = rank - (v.Type.Rank - (batched[i] ? 1 : 0));
                if (!batched[i] || missing == 0) return v;
                Dim[] dims = [v.Type[0], .. Enumerable.Repeat(new Dim(1), missing), .. v.Type.Dims.Skip(1)];
                return v.Reshape(dims);
            }),
        ];
    }

    private static Value[] Shaped(Builder builder, Op op, Attributes a, Value x)
    {
        var dims = a.Dims("dims");
        // A dimension that is new to every sample comes behind the samples.
        var missing = op == OpTable.BroadcastTo ? dims.Length - (x.Type.Rank - 1) : 0;
        if (missing > 0) x = x.Reshape([x.Type[0], .. Enumerable.Repeat(new Dim(1), missing), .. x.Type.Dims.Skip(1)]);
        return builder.Apply(op, Attributes.Of("dims", (Dim[])[x.Type[0], .. dims]), [x]);
    }

    private static Value Product(Value[] x, bool[] batched, bool ta, bool tb)
    {
        var rank = Math.Max(x[0].Type.Rank - (batched[0] ? 1 : 0), x[1].Type.Rank - (batched[1] ? 1 : 0));
        Value Lifted(Value v, bool isBatched)
        {
            var missing = rank + 1 - v.Type.Rank;
            if (!isBatched || missing <= 0) return v;
            return v.Reshape([v.Type[0], .. Enumerable.Repeat(new Dim(1), missing), .. v.Type.Dims.Skip(1)]);
        }

        return Lifted(x[0], batched[0]).MatMul(Lifted(x[1], batched[1]), ta, tb);
    }

    // A vector of one sample is a row; samples and rows are both leading dimensions of the product.
    private static Value Affine(Value[] x, bool[] batched)
    {
        var (input, w) = (x[0], x[1]);
        if (!batched[1] && (x.Length == 2 || !batched[2])) return x.Length == 2 ? input.Linear(w)
            : input.Linear(w, x[2]);
        var isVector = input.Type.Rank - (batched[0] ? 1 : 0) == 1;
        if (isVector) input = input.Unsqueeze(batched[0] ? 1 : 0);
        var y = Product([input, w], [batched[0], batched[1]], false, true);
        if (isVector) y = y.Squeeze(y.Type.Rank - 2);
        if (x.Length == 2) return y;
        var sum = Aligned([y, x[2]], [true, batched[2]]);
        return sum[0] + sum[1];
    }
}
