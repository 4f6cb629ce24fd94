using Convoy.Shared;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tensors;

/// <summary>
/// A dense block of numbers, or a strided view of one. Views share memory: a write through a view is a write to the
/// original (TEN-06). Kernels see contiguous spans; <see cref="Contiguous"/> copies when a view is not.
/// </summary>
public sealed partial class Tensor
{
    private readonly int[] _strides;

    internal Tensor(Storage storage, DType dtype, Shape shape, int[] strides, long offset)
    {
        (Storage, DType, Shape, _strides) = (storage, dtype, shape, strides);
        Count = shape.Count;
        // A view without elements may start past the end: nothing of it is ever read.
        Offset = Count == 0 ? 0 : offset;
        IsContiguous = ContiguousStrides(shape).AsSpan().SequenceEqual(strides) || Count <= 1;
    }

    internal Storage Storage { get; }
    /// <summary>First element, counted in elements from the start of the storage.</summary>
    internal long Offset { get; }
    /// <summary>The element type.</summary>
    public DType DType { get; }
    /// <summary>The sizes of its dimensions.</summary>
    public Shape Shape { get; }
    /// <summary>The product of all sizes; 1 for a scalar.</summary>
    public long Count { get; }
    /// <summary>How many dimensions; 0 for a scalar.</summary>
    public int Rank => Shape.Rank;
    /// <summary>The elements lie side by side in row-major order.</summary>
    public bool IsContiguous { get; }
    /// <summary>Distance in elements between neighbours, per dimension; 0 where a dimension is repeated.</summary>
    public ReadOnlySpan<int> Strides => _strides;
    /// <summary>Element type and shape together.</summary>
    public TensorType Type => new(DType, Shape);

    /// <summary>A new contiguous tensor of zeros, from the pool of this thread where one is entered.</summary>
    /// <exception cref="ShapeException">There is no such element type, or the bytes are more than 64 bits
    /// count.</exception>
    /// <exception cref="DeviceMemoryException">It is larger than one tensor can be, or than the memory that is
    /// left.</exception>
    public static Tensor Empty(DType dtype, Shape shape) =>
        new(Storage.Allocate(BytesOf(dtype, shape)), dtype, shape, ContiguousStrides(shape), 0);

    /// <summary>A new tensor of zeros.</summary>
    public static Tensor Zeros(DType dtype, params ReadOnlySpan<int> dims) => Empty(dtype, new Shape(dims));

    /// <summary>A new tensor of ones.</summary>
    public static Tensor Ones(DType dtype, params ReadOnlySpan<int> dims) => Full(dtype, 1, new Shape(dims));

    /// <summary>A new tensor of one value, rounded to the element type.</summary>
    public static Tensor Full(DType dtype, double value, Shape shape)
    {
        var tensor = Empty(dtype, shape);
        tensor.Fill(value);
        return tensor;
    }

    /// <summary>A new tensor of these values, copied, in row-major order.</summary>
    /// <exception cref="ShapeException">They are not as many as the shape has elements.</exception>
    public static Tensor Of<T>(ReadOnlySpan<T> values, Shape shape) where T : unmanaged
    {
        if (values.Length != shape.Count)
            throw new ShapeException($"{values.Length} values do not fill the shape {shape} of {shape.Count} elements");
        var tensor = Empty(DTypes.Of<T>(), shape);
        values.CopyTo(tensor.Storage.Span<T>(0, tensor.Count));
        return tensor;
    }

    /// <summary>A new tensor of these values, copied, in row-major order: <c>Tensor.Of([1f, 2f, 3f, 4f], 2,
    /// 2)</c>.</summary>
    /// <exception cref="ShapeException">They are not as many as the shape has elements.</exception>
    public static Tensor Of<T>(T[] values, params ReadOnlySpan<int> dims) where T : unmanaged =>
        Of<T>(values.AsSpan(), new Shape(dims));

    /// <summary>The elements in row-major order, for reading: of a contiguous tensor itself, else of a copy.</summary>
    public ReadOnlySpan<T> Values<T>() where T : unmanaged => Contiguous().Raw<T>();

    /// <summary>
    /// The elements of a contiguous tensor, for writing; counts as a change of every view of the storage.
    /// </summary>
    public Span<T> Writable<T>() where T : unmanaged
    {
        Storage.MarkWritten();
        return Raw<T>();
    }

    internal Span<T> Raw<T>() where T : unmanaged
    {
        CheckType<T>();
        Invariant.Check(IsContiguous, "AD-3 only a contiguous tensor is one span");
        return Storage.Span<T>(Offset, Count);
    }

    /// <summary>All elements in row-major order, copied.</summary>
    public T[] ToArray<T>() where T : unmanaged => Values<T>().ToArray();

    /// <summary>One element, as float64; an index per dimension, from 0.</summary>
    /// <exception cref="ShapeException">An index is outside.</exception>
    public double At(params ReadOnlySpan<int> index)
    {
        var at = ElementOffset(index);
        return Elements.Read(this, at);
    }

    /// <summary>Writes one element, rounded to the element type; an index per dimension, from 0.</summary>
    /// <exception cref="ShapeException">An index is outside.</exception>
    public void Set(double value, params ReadOnlySpan<int> index)
    {
        RequireOnce();
        var at = ElementOffset(index);
        Storage.MarkWritten();
        Elements.Write(this, at, value);
    }

    private static long BytesOf(DType dtype, Shape shape)
    {
        if (ElementTypes.Find(t => t.Type == dtype) is null)
            throw new ShapeException($"there is no element type {(int)dtype}", ErrorCode.ElementType);
        var bytes = (UInt128)shape.Count * (uint)dtype.Size();
        return bytes <= long.MaxValue ? (long)bytes
            : throw new ShapeException($"{shape} of {dtype} has more than {long.MaxValue} bytes: no tensor is that large");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Type}";

    internal static int[] ContiguousStrides(Shape shape)
    {
        var strides = new int[shape.Rank];
        long step = 1;
        for (var axis = shape.Rank - 1; axis >= 0; axis--)
        {
            strides[axis] = (int)step;
            step *= Math.Max(shape[axis], 1);
        }

        return strides;
    }

    private long ElementOffset(ReadOnlySpan<int> index)
    {
        if (index.Length != Rank) throw new ShapeException($"{index.Length} indices for {Rank} dimensions");
        var at = Offset;
        for (var axis = 0; axis < Rank; axis++)
        {
            if ((uint)index[axis] >= (uint)Shape[axis])
                throw new ShapeException($"index {index[axis]} is outside dimension {axis} of size {Shape[axis]}");
            at += (long)index[axis] * _strides[axis];
        }

        return at;
    }

    private void CheckType<T>() where T : unmanaged
    {
        if (DTypes.Of<T>() != DType) throw new ShapeException($"a tensor of {DType} is not read as {typeof(T).Name}");
    }
}
