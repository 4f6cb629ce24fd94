using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// Operators as methods of values: moving elements about. Axes may be negative.
public static partial class Functions
{
    /// <summary>x without one dimension, whose size is 1 (else a <see cref="ShapeException"/>).</summary>
    public static Value Squeeze(this Value x, int axis) => x.Apply(OpTable.Squeeze, Attributes.Of("axis", axis));
    /// <summary>x with a new dimension of size 1 at this place, 0 to the rank of x.</summary>
    public static Value Unsqueeze(this Value x, int axis) => x.Apply(OpTable.Unsqueeze, Attributes.Of("axis", axis));

    /// <summary>Values of one shape side by side on a new axis.</summary>
    public static Value Stack(int axis, params ReadOnlySpan<Value> parts)
    {
        if (parts.Length == 0) throw new ShapeException("stack: takes at least one input");
        return parts[0].Apply(OpTable.Stack, Attributes.Of("axis", axis), parts[1..]);
    }

    /// <summary>Consecutive stretches of one axis, all of it.</summary>
    public static Value[] Split(this Value x, int axis, params int[] sizes) =>
        x.Builder.Apply(OpTable.Split, Attributes.Of("axis", axis, "sizes", sizes), [x]);

    /// <summary>x with constant elements before and after it on one axis; counts are 0 or more, the gradient of the
    /// padding is dropped.</summary>
    public static Value Pad(this Value x, int axis, int before, int after, double value = 0) =>
        x.Apply(OpTable.Pad, Attributes.Of("axis", axis, "before", before).With("after", after).With("value", value));

    /// <summary>x repeated <paramref name="repeats"/>[i] times along dimension i, counted from the last; missing
    /// leading dimensions and repeats are 1, and gradients of copies are summed.</summary>
    public static Value Tile(this Value x, params int[] repeats) =>
        x.Apply(OpTable.Tile, Attributes.Of("repeats", repeats));

    /// <summary>x with element i at i + shift of one axis, around the end; a negative shift goes the other
    /// way.</summary>
    public static Value Roll(this Value x, int axis, int shift) =>
        x.Apply(OpTable.Roll, Attributes.Of("axis", axis, "shift", shift));

    /// <summary>x with one axis in reverse order.</summary>
    public static Value Flip(this Value x, int axis) => OnAxis(OpTable.Flip, x, axis);

    /// <summary>The part on and below diagonal k of the last two dimensions.</summary>
    public static Value Tril(this Value x, int k = 0) => x.Apply(OpTable.Tril, Attributes.Of("k", k));

    /// <summary>The part on and above diagonal k of the last two dimensions.</summary>
    public static Value Triu(this Value x, int k = 0) => x.Apply(OpTable.Triu, Attributes.Of("k", k));

    internal static Value DiagonalOf(this Value x, int a, int b)
    {
        if (a < 0) throw new ShapeException($"diagonal: {x.Type.Text} is no matrix");
        var (sizeA, sizeB) = (x.Type[a], x.Type[b]);
        // The diagonal of a matrix with more rows than columns, or less, is that of its square.
        if (!sizeA.PerSample && !sizeB.PerSample && sizeA != sizeB)
            x = sizeA.Size > sizeB.Size ? x.Slice(a, 0, sizeB.Size) : x.Slice(b, 0, sizeA.Size);
        return x.Apply(OpTable.Diagonal, Attributes.Of("a", a, "b", b));
    }

    /// <summary>Matrices with the last dimension of x on their diagonals.</summary>
    internal static Value DiagonalMatrix(this Value x) =>
        x.Apply(OpTable.DiagonalEmbed, Attributes.Of("a", x.Type.Rank - 1, "b", x.Type.Rank));

    /// <summary>Vectors spread over the product of their dimensions, the n-th along dimension n.</summary>
    public static Value[] Meshgrid(params Value[] vectors) => vectors.Length == 0
        ? throw new ShapeException("meshgrid: takes at least one vector")
        : vectors[0].Builder.Apply(OpTable.Meshgrid, Attributes.None, vectors);

    // Where the size has a name, a running count is what it is.
    internal static Value Iota(this Builder builder, Dim size, DType dtype) => size.HasNames
        ? builder.Full(1, new TensorType(dtype, size)).CumSum(0) - 1
        : builder.Apply(OpTable.Iota, Attributes.Of("size", size.Size, "dtype", dtype), [])[0];

    /// <summary>Elements of one axis at an index (int32) of x's shape but for the axis.</summary>
    public static Value Gather(this Value x, int axis, Value index) =>
        x.Apply(OpTable.Gather, Attributes.Of("axis", Axes.One(axis, x.Type, "gather")), index);

    /// <summary>x with a source added at an index of one axis; sums are taken in the order of the axis.</summary>
    public static Value ScatterAdd(this Value x, int axis, Value index, Value source) =>
        x.Apply(OpTable.ScatterAdd, Attributes.Of("axis", Axes.One(axis, x.Type, "scatter-add")), index, source);

    /// <summary>Elements of one axis at a list of places (int32).</summary>
    public static Value IndexSelect(this Value x, int axis, Value index) =>
        x.Apply(OpTable.IndexSelect, Attributes.Of("axis", Axes.One(axis, x.Type, "index-select")), index);

    /// <summary>1 at the class of each id, else 0, in a new last dimension.</summary>
    public static Value OneHot(this Value ids, int classes, DType dtype) =>
        ids.Apply(OpTable.OneHot, Attributes.Of("classes", classes, "dtype", dtype));

    internal static Value Mark(this Value ids, int value, DType dtype) =>
        ids.Apply(OpTable.Mark, Attributes.Of("value", value, "dtype", dtype));

    internal static Value Replace(this Value ids, int value, int with) =>
        ids.Apply(OpTable.Replace, Attributes.Of("value", value, "with", with));

    /// <summary>Elements in order, a NaN as the largest, and the places they come from.</summary>
    public static (Value Values, Value Places) Sort(this Value x, int axis, bool descending = false)
    {
        if (x.Type.Rank == 0 && axis is 0 or -1) return OfList(x.Reshape(1).Sort(0, descending));
        var attributes = Attributes.Of("axis", Axes.One(axis, x.Type, "sort"), "descending", descending);
        var results = x.Builder.Apply(OpTable.Sort, attributes, [x]);
        return (results[0], results[1]);
    }

    /// <summary>The k largest (or smallest) in order, a NaN as the largest, and the places they come from.</summary>
    public static (Value Values, Value Places) TopK(this Value x, int axis, int k, bool smallest = false)
    {
        var attributes = Attributes.Of("axis", Axes.One(axis, x.Type, "top-k"), "k", k).With("smallest", smallest);
        var results = x.Builder.Apply(OpTable.TopK, attributes, [x]);
        return (results[0], results[1]);
    }

    // A number by itself is sorted as a list of one.
    private static (Value Values, Value Places) OfList((Value Values, Value Places) sorted) =>
        (sorted.Values.Reshape(), sorted.Places.Reshape());
}
