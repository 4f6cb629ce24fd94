using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Typed;

/// <summary>
/// A tensor whose element type and rank the compiler knows. It is a handle: the numbers are those of
/// <see cref="Tensor"/>, and views stay views.
/// </summary>
public class Ranked<TRank, T> where TRank : struct, IRank where T : unmanaged
{
    /// <summary>Checks element type and rank.</summary>
    /// <exception cref="ShapeException">One of them is another; code ElementType or ShapeMismatch.</exception>
    public Ranked(Tensor tensor)
    {
        if (tensor.DType != DTypes.Of<T>())
            throw new ShapeException($"a tensor of {tensor.DType} is not one of {typeof(T).Name}",
                ErrorCode.ElementType);
        if (TRank.Dimensions >= 0 && tensor.Rank != TRank.Dimensions)
            throw new ShapeException($"a tensor of shape {tensor.Shape} has not {TRank.Dimensions} dimensions");
        Tensor = tensor;
    }

    /// <summary>The tensor behind the handle.</summary>
    public Tensor Tensor { get; }
    /// <summary>The sizes of its dimensions.</summary>
    public Shape Shape => Tensor.Shape;

    /// <summary>The same tensor; the compiler forgets the rank.</summary>
    public Ranked<AnyRank, T> AsDynamic() => new(Tensor);

    /// <summary>The same tensor under a rank that is checked now.</summary>
    public Ranked<TOther, T> As<TOther>() where TOther : struct, IRank => new(Tensor);

    /// <summary>Checks the shape against a contract such as <c>N, 3</c>; the first broken rule is the error.</summary>
    public Ranked<TRank, T> Require(string contract)
    {
        var fault = ShapeContract.Parse(contract)
            .Check("tensor", Shape, new SortedDictionary<string, int>(StringComparer.Ordinal));
        return fault is null ? this : throw new ShapeException($"{fault.Text}. {fault.Suggestion}");
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Tensor}";

    internal Variable Variable => new(Tensor);

    private protected static Tensor Computed(Func<Value> compute)
    {
        using var scope = GradientMode.Off();
        return ((Variable)compute()).Data;
    }
}

/// <summary>One number, of no dimensions.</summary>
public sealed class Scalar<T>(Tensor tensor) : Ranked<Rank0, T>(tensor) where T : unmanaged
{
    /// <summary>A new tensor of one number.</summary>
    public static Scalar<T> Of(T value) => new(Tensor.Of<T>([value], Shape.Scalar));

    /// <summary>The number.</summary>
    public T Value => Tensor.Contiguous().Values<T>()[0];
}

/// <summary>One dimension.</summary>
public sealed class Vector<T>(Tensor tensor) : Ranked<Rank1, T>(tensor) where T : unmanaged
{
    /// <summary>A new tensor of these numbers.</summary>
    public static Vector<T> Of(params ReadOnlySpan<T> values) => new(Tensor.Of(values, new Shape(values.Length)));

    /// <summary>How many numbers.</summary>
    public int Length => Shape[0];

    /// <summary>Element i, from 0; negative ones from the end.</summary>
    /// <exception cref="ShapeException">It is outside.</exception>
    public T this[int i] => Tensor.Slice(i).Contiguous().Values<T>()[0];

    /// <summary>Σ a_i b_i; the lengths are equal.</summary>
    public Scalar<T> Dot(Vector<T> other)
    {
        if (other.Length != Length) throw new ShapeException($"dot: {Shape} and {other.Shape} differ");
        return new Scalar<T>(Computed(() => (Variable * other.Variable).Sum()));
    }
}

/// <summary>Two dimensions: rows, columns.</summary>
public sealed class Matrix<T>(Tensor tensor) : Ranked<Rank2, T>(tensor) where T : unmanaged
{
    /// <summary>A new tensor of these numbers, row by row.</summary>
    /// <exception cref="ShapeException">They are not rows times columns many.</exception>
    public static Matrix<T> Of(int rows, int columns, params ReadOnlySpan<T> values) =>
        new(Tensor.Of(values, new Shape(rows, columns)));

    /// <summary>The first size.</summary>
    public int Rows => Shape[0];
    /// <summary>The second size.</summary>
    public int Columns => Shape[1];

    /// <summary>A view.</summary>
    public Vector<T> Row(int i) => new(Tensor.Slice(i));

    /// <summary>A view.</summary>
    public Vector<T> Column(int j) => new(Tensor.Slice(SliceSpec.All, j));

    /// <summary>A view.</summary>
    public Matrix<T> Transposed() => new(Tensor.Transpose());

    /// <summary>[M, K] times [K, N] is [M, N].</summary>
    public Matrix<T> Times(Matrix<T> other) => new(Computed(() => Variable.MatMul(other.Variable)));

    /// <summary>[M, K] times [K] is [M].</summary>
    public Vector<T> Times(Vector<T> other) => new(Computed(() => Variable.MatMul(other.Variable)));
}

/// <summary>Three dimensions, such as sequences of a batch.</summary>
public sealed class Tensor3<T>(Tensor tensor) : Ranked<Rank3, T>(tensor) where T : unmanaged
{
    /// <summary>A view.</summary>
    public Matrix<T> this[int i] => new(Tensor.Slice(i));
}

/// <summary>Four dimensions, such as images of a batch with their channels.</summary>
public sealed class Tensor4<T>(Tensor tensor) : Ranked<Rank4, T>(tensor) where T : unmanaged
{
    /// <summary>A view.</summary>
    public Tensor3<T> this[int i] => new(Tensor.Slice(i));
}

/// <summary>Samples of one shape, one after the other on a first dimension of their own.</summary>
public sealed class Batch<TRank, T> where TRank : struct, IRank where T : unmanaged
{
    /// <summary>Copies the samples together; there is at least one, and all have one shape.</summary>
    public Batch(IReadOnlyList<Ranked<TRank, T>> samples)
    {
        if (samples.Count == 0) throw new ShapeException("a batch has at least one sample");
        var shape = samples[0].Shape;
        Tensor = Tensor.Empty(DTypes.Of<T>(), new Shape([samples.Count, .. shape.Dims]));
        for (var i = 0; i < samples.Count; i++)
        {
            if (samples[i].Shape != shape)
                throw new ShapeException($"sample {i} of a batch is {samples[i].Shape}, the first is {shape}");
            Tensor.Slice(i).CopyFrom(samples[i].Tensor);
        }
    }

    /// <summary>All samples: [samples, ..shape of one].</summary>
    public Tensor Tensor { get; }
    /// <summary>Samples.</summary>
    public int Count => Tensor.Shape[0];

    /// <summary>A view.</summary>
    public Ranked<TRank, T> this[int sample] => new(Tensor.Slice(sample));
}
