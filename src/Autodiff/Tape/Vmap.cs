using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// Turns a function of one sample into a function of many: every operator of it is applied once to all samples,
/// which lie along a dimension that the function does not see. Each operator says how; one without a rule is applied
/// sample by sample, with the same result.
/// </summary>
public static class Vmap
{
    /// <summary>f at each row of the inputs (first dimension), results stacked on a first dimension.</summary>
    /// <param name="f">Sees operands without their first dimension.</param>
    /// <param name="inputs">Operands with equally many rows.</param>
    /// <param name="shared">Per operand: true when it is the same for all samples and has no such dimension.</param>
    public static Value Run(Func<Value[], Value> f, IReadOnlyList<Value> inputs, IReadOnlyList<bool>? shared = null) =>
        Run(x => [f(x)], inputs, [.. inputs.Select((_, i) => shared?[i] == true ? (int?)null : 0)], null)[0];

    /// <summary>f at each sample, which lie along a dimension of their own in each operand.</summary>
    /// <param name="f">Sees operands without that dimension.</param>
    /// <param name="inputs">Operands with equally many samples.</param>
    /// <param name="inAxes">Per operand: the dimension of the samples, negative from the end, or null when it is the
    /// same for all.</param>
    /// <param name="outAxis">The dimension of the result along which the samples lie.</param>
    public static Value Run(
        Func<Value[], Value> f, IReadOnlyList<Value> inputs, IReadOnlyList<int?> inAxes, int outAxis = 0)
    {
        var y = Run(x => [f(x)], inputs, inAxes, null)[0];
        return Moved(y, 0, Axes.One(outAxis, y.Type, "vmap"));
    }

    /// <param name="looped">Takes the names of operators that were applied sample by sample.</param>
    internal static Value[] Run(
        Func<Value[], Value[]> f, IReadOnlyList<Value> inputs, IReadOnlyList<int?> inAxes, List<string>? looped)
    {
        if (inAxes.Count != inputs.Count)
            throw new ShapeException($"vmap: {inAxes.Count} dimensions are named for {inputs.Count} operands");
        var x = inputs.ToArray();
        Dim? rows = null;
        for (var i = 0; i < x.Length; i++)
        {
            if (inAxes[i] is not { } axis) continue;
            if (x[i].Type.Rank == 0) throw new ShapeException($"vmap: operand {i} has no first dimension");
            x[i] = Moved(x[i], Axes.One(axis, x[i].Type, "vmap"), 0);
            if (rows is { } before && x[i].Type[0] != before)
                throw new ShapeException($"vmap: operand {i} has {x[i].Type[0]} rows, another has {before}");
            rows = x[i].Type[0];
        }

        if (rows is null) throw new ShapeException("vmap: no operand has samples");
        var level = x.Max(v => v.Builder.Level);
        var builder = new BatchBuilder(x.First(v => v.Builder.Level == level).Builder, rows.Value, looped);
        return [.. f([.. x.Select((v, i) => inAxes[i] is null ? v : builder.Batch(v))]).Select(builder.Rows)];
    }

    private static Value Moved(Value x, int from, int to)
    {
        if (from == to) return x;
        var order = Enumerable.Range(0, x.Type.Rank).Where(i => i != from).ToList();
        order.Insert(to, from);
        return x.Transpose([.. order]);
    }

    /// <summary>
    /// The gradient of each sample's loss with respect to the parameters, stacked on a first dimension: what
    /// clipping or measuring single samples needs. One forward and one backward pass over all samples.
    /// </summary>
    /// <param name="loss">The loss of one sample, one number, from the parameters and the sample's data.</param>
    public static IReadOnlyList<Tensor> PerSampleGradients(
        Func<Value[], Value[], Value> loss, IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> data)
    {
        if (data.Count == 0
            || data[0].Rank == 0) throw new ShapeException("per-sample gradients: the data has no samples");
        using var recording = GradientMode.On();
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
internal sealed class BatchBuilder(Builder inner, Dim rows, List<string>? looped = null) : Builder
{
    internal override int Level => inner.Level + 1;

    public Value Batch(Value value) => new Batched(this, value);

    /// <summary>The value with its first dimension; one that is the same for all samples is repeated.</summary>
    public Value Rows(Value value) => value is Batched b && b.Owner == this ? b.Inner
        : value.Unsqueeze(0).BroadcastTo([rows, .. value.Type.Dims]);

    private protected override Value[] Record(Op op, Attributes attributes, Value[] inputs)
    {
        if (!inputs.Any(Owns)) return inner.Apply(op, attributes, inputs);
        var given = new OpBatch(inner, op, attributes, [.. inputs.Select(Bare)], [.. inputs.Select(Owns)], rows);
        var results = op.Batched(given) ?? OneByOne(op, attributes, inputs);
        return [.. results.Select(Batch)];
    }

    private Value[] OneByOne(Op op, Attributes attributes, Value[] inputs)
    {
        looped?.Add(op.Name);
        if (rows.Size == 0)
        {
            var types = op.Infer(attributes, [.. inputs.Select(v => v.Type)]);
            return [.. types.Select(t => inner.Full(0, t.With([rows, .. t.Dims])))];
        }

        var all = new List<Value[]>();
        for (var r = 0; r < rows.Size; r++)
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
