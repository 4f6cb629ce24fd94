using System.Collections.Immutable;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// Operators as methods of values: reductions, shapes and contractions. Axes may be negative; no axes means all.
public static partial class Functions
{
    /// <summary>Σ x over the axes; a gradient is repeated over them. Over the batch too: a sum over
    /// samples.</summary>
    public static Value Sum(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.Sum, x, axes, keep);

    /// <summary>Not over the batch: losses are sums.</summary>
    public static Value Mean(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.Mean, x, axes, keep);

    /// <summary>The largest over the axes.</summary>
    /// <param name="ties">Who gets the gradient where elements are equal: share (evenly), first or last.</param>
    public static Value Max(
        this Value x, ReadOnlySpan<int> axes = default, bool keep = false, string ties = "share") =>
        Reduce(OpTable.Max, x, axes, keep, Ties.Chosen(Attributes.None, ties));

    /// <summary>The smallest over the axes.</summary>
    /// <param name="ties">Who gets the gradient where elements are equal: share (evenly), first or last.</param>
    public static Value Min(
        this Value x, ReadOnlySpan<int> axes = default, bool keep = false, string ties = "share") =>
        Reduce(OpTable.Min, x, axes, keep, Ties.Chosen(Attributes.None, ties));

    /// <summary>Π x over the axes; the gradient takes no quotient, so elements may be 0.</summary>
    public static Value Product(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.Product, x, axes, keep);

    /// <summary>The same elements in row-major order under other dimensions, whose product is the same (else a <see
    /// cref="ShapeException"/>); one of them may be -1, which is what the others leave. A dimension that follows the
    /// batch stays one.</summary>
    public static Value Reshape(this Value x, params ReadOnlySpan<Dim> dims)
    {
        Dim[] known = dims.ToArray();
        if (Array.IndexOf(known, new Dim(-1)) is >= 0 and var open) known[open] = Rest(x.Type, known, open);
        return x.Type.Dims.AsSpan().SequenceEqual(known) ? x
            : x.Apply(OpTable.Reshape, Attributes.Of("dims", known));
    }

    // What is left for a dimension of -1; the batch too, where no other dimension has it.
    private static Dim Rest(TensorType x, Dim[] dims, int open)
    {
        if (x.HasNames || dims.Any(d => d.HasNames))
        {
            var known = DimFormula.Product([.. dims.Where((_, i) => i != open)]);
            return DimFormula.Product(x.Dims.AsSpan()).DividedBy(known)?.ToDim() ?? throw new ShapeException(
                $"reshape: no size stands for -1 in [{string.Join(", ", dims)}] whatever the sizes of {x.Text} are");
        }

        long others = 1;
        for (var i = 0; i < dims.Length; i++)
            if (i != open) others = checked(others * dims[i].Size);
        if (others <= 0 || x.Coefficient % others != 0)
        {
            throw new ShapeException(
                $"reshape: {x.Text} has {x.Coefficient} elements, so no size stands for -1 in [{string.Join(", ", dims)}]");
        }

        return new Dim(checked((int)(x.Coefficient / others)), x.IsPerSample && !dims.Any(d => d.PerSample));
    }

    internal static Value ReshapeLike(this Value x, ImmutableArray<Dim> dims) => x.Reshape(dims.AsSpan());

    /// <summary>All dimensions but the last become one.</summary>
    public static Value Flatten2D(this Value x)
    {
        if (x.Type.Rank == 0) return x.Reshape(1, 1);
        return x.Reshape(Merged(x.Type.Dims.AsSpan()[..^1]), x.Type[-1]);
    }

    /// <summary>All dimensions but the first become one.</summary>
    public static Value FlattenFrom1(this Value x) => x.Reshape(x.Type[0], Merged(x.Type.Dims.AsSpan()[1..]));

    /// <summary>The dimensions in another order; without an order, the last two exchanged.</summary>
    public static Value Transpose(this Value x, params ReadOnlySpan<int> permutation)
    {
        int[] order = permutation.Length > 0 ? permutation.ToArray() : [.. Enumerable.Range(0, x.Type.Rank)];
        if (permutation.Length == 0 && order.Length > 1) (order[^1], order[^2]) = (order[^2], order[^1]);
        for (var i = 0; i < order.Length; i++) order[i] = Axes.One(order[i], x.Type, "transpose");
        return order.SequenceEqual(Enumerable.Range(0, x.Type.Rank)) ? x
            : x.Apply(OpTable.Transpose, Attributes.Of("perm", order));
    }

    /// <summary>x repeated along its dimensions of size 1 and along new leading ones until it has these dimensions;
    /// the gradient is summed over what was repeated.</summary>
    public static Value BroadcastTo(this Value x, params ReadOnlySpan<Dim> dims) =>
        x.Type.Dims.AsSpan().SequenceEqual(dims) ? x
            : x.Apply(OpTable.BroadcastTo, Attributes.Of("dims", dims.ToArray()));

    internal static Value BroadcastLike(this Value x, ImmutableArray<Dim> dims) => x.BroadcastTo(dims.AsSpan());

    /// <summary><paramref name="count"/> elements of one axis, from <paramref name="start"/>, every step-th.</summary>
    public static Value Slice(this Value x, int axis, int start, int count, int step = 1)
    {
        var attributes = Attributes.Of("axis", Axes.One(axis, x.Type, "slice"), "start", start);
        return x.Apply(OpTable.Slice, attributes.With("count", count).With("step", step));
    }

    /// <summary>Parts one after another on one axis; their other dimensions are equal.</summary>
    public static Value Concat(int axis, params ReadOnlySpan<Value> parts)
    {
        if (parts.Length == 0) throw new ShapeException("concat: takes at least one input");
        var at = Axes.One(axis, parts[0].Type, "concat");
        return parts[0].Apply(OpTable.Concat, Attributes.Of("axis", at), parts[1..]);
    }

    /// <summary>
    /// Matrix product over the last two dimensions, leading ones repeated where they are 1; a vector on either side
    /// is a row or a column.
    /// </summary>
    public static Value MatMul(this Value a, Value b, bool ta = false, bool tb = false)
    {
        if (a.Type.Rank == 1 && b.Type.Rank == 1)
            return a.Reshape(1, a.Type[0]).MatMul(b.Reshape(b.Type[0], 1)).Reshape();
        if (a.Type.Rank == 1)
        {
            var row = a.Reshape(1, a.Type[0]).MatMul(b, false, tb);
            return row.Reshape([.. row.Type.Dims.AsSpan()[..^2], row.Type[-1]]);
        }

        if (b.Type.Rank == 1)
        {
            var column = a.MatMul(b.Reshape(b.Type[0], 1), ta);
            return column.Reshape(column.Type.Dims.AsSpan()[..^1]);
        }

        var attributes = Attributes.None;
        if (ta) attributes = attributes.With("ta", 1L);
        if (tb) attributes = attributes.With("tb", 1L);
        return a.Apply(OpTable.MatMul, attributes, b);
    }

    /// <summary>x wᵀ + b with w_FK and b_F.</summary>
    public static Value Linear(this Value x, Value w, Value? bias = null) =>
        bias is null ? x.Apply(OpTable.Linear, w) : x.Apply(OpTable.Linear, w, bias);

    /// <summary>
    /// Any contraction, such as "bhqd,bhkd->bhqk": repeated letters in an operand take its diagonal, letters that
    /// are not in the result are summed, "..." stands for all other dimensions. Many operands are contracted in the
    /// order that costs least. An error points at the character, and shows the operands.
    /// </summary>
    public static Value Einsum(string spec, params ReadOnlySpan<Value> operands)
    {
        ArgumentNullException.ThrowIfNull(spec);
        Value[] all = [.. operands];
        try
        {
            return Contracted(spec, all);
        }
        catch (ShapeException rule) when (OperandTexts.Lack(rule, OpTable.Einsum, all))
        {
            throw OperandTexts.Added(rule, OpTable.Einsum, all);
        }
    }

    private static Value Contracted(string spec, Value[] operands)
    {
        var (written, values) = EinsumEllipsis.Written(spec, operands);
        var parsed = EinsumSpec.Parse(written);
        var types = new TensorType[values.Length];
        for (var i = 0; i < types.Length; i++) types[i] = values[i].Type;
        parsed.Sizes(types);
        var letters = parsed.Operands.ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            (letters[i], values[i]) = WithoutRepeats(letters[i], values[i]);
            var others = parsed.Result + string.Concat(letters.Where((_, j) => j != i));
            (letters[i], values[i]) = WithoutLonely(letters[i], values[i], others);
        }

        return EinsumPlan.Contract(letters, values, parsed.Result);
    }

    private static Value Reduce(Op op, Value x, ReadOnlySpan<int> axes, bool keep, Attributes? more = null)
    {
        var attributes = (more ?? Attributes.None).With("axes", Axes.Normalize(axes, x.Type, op.Name));
        return x.Apply(op, keep ? attributes.With("keep", 1L) : attributes);
    }

    private static Dim Merged(ReadOnlySpan<Dim> dims)
    {
        Dim merged = 1;
        foreach (var dim in dims) merged *= dim;
        return merged;
    }

    private static (string Letters, Value Value) WithoutRepeats(string letters, Value value)
    {
        for (var b = 1; b < letters.Length; b++)
        {
            var a = letters.IndexOf(letters[b], StringComparison.Ordinal);
            if (a == b) continue;
            value = value.Apply(OpTable.Diagonal, Attributes.Of("a", a, "b", b));
            letters = letters.Remove(b, 1);
            b--;
        }

        return (letters, value);
    }

    private static (string Letters, Value Value) WithoutLonely(string letters, Value value, string others)
    {
        int[] lonely = [.. Enumerable.Range(0, letters.Length).Where(i => !others.Contains(letters[i]))];
        if (lonely.Length == 0) return (letters, value);
        return (string.Concat(letters.Where((_, i) => !lonely.Contains(i))), value.Sum(lonely));
    }
}
