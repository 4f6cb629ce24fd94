using System.Buffers;
using System.Numerics;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>What becomes of an element; a struct, so that loops over elements contain it.</summary>
internal interface IElementChange
{
    double Of(int i, double value);
}

/// <summary>A sum, or the like, over elements from left to right.</summary>
internal interface IElementFold
{
    void Take(double value);
}

/// <summary>
/// The numbers of a gradient where they lie, in float16, float32 or float64. Nothing is copied: an element is
/// calculated with in float64 and rounded when it is written; sums are float64, from left to right.
/// </summary>
public abstract class GradientVector
{
    private protected GradientVector()
    {
    }

    /// <summary>How many numbers.</summary>
    public abstract int Length { get; }

    /// <summary>One number; written, it is rounded to what is stored.</summary>
    public abstract double this[int i] { get; set; }

    /// <summary>Numbers in float32.</summary>
    public static GradientVector Of(Memory<float> numbers) => new GradientVector<float>(numbers);

    /// <summary>Numbers in float64.</summary>
    public static GradientVector Of(Memory<double> numbers) => new GradientVector<double>(numbers);

    /// <summary>Numbers in float16, as a device with narrow gradients gives them.</summary>
    public static GradientVector Of(Memory<Half> numbers) => new GradientVector<Half>(numbers);

    /// <summary>The numbers of a tensor in row-major order, where they lie; it counts as written.</summary>
    /// <exception cref="ShapeException">It is no dense tensor in float32 or float64.</exception>
    public static GradientVector Of(Tensor tensor) => tensor.DType switch
    {
        DType.Float32 => new GradientVector<float>(new TensorMemory<float>(tensor).Memory),
        DType.Float64 => new GradientVector<double>(new TensorMemory<double>(tensor).Memory),
        _ => throw new ShapeException($"a gradient is float32 or float64, not {tensor.Type}"),
    };

    /// <summary>The array itself.</summary>
    public static implicit operator GradientVector(float[] numbers) => Of(numbers.AsMemory());

    /// <summary>The array itself.</summary>
    public static implicit operator GradientVector(double[] numbers) => Of(numbers.AsMemory());

    /// <summary>The Euclidean norm.</summary>
    public double Norm => NormOf(0, Length);

    /// <summary>
    /// The Euclidean norm of so many numbers from one on, of numbers too whose squares are out of the range of float64.
    /// </summary>
    public double NormOf(int from, int count)
    {
        var sum = SumOfSquares(from, count);
        if (GradientMath.IsWhole(sum)) return Math.Sqrt(sum);
        var largest = 0.0;
        for (var i = from; i < from + count; i++) largest = Math.Max(largest, Math.Abs(this[i]));
        if (largest == 0 || !double.IsFinite(largest)) return largest;
        sum = 0;
        for (var i = from; i < from + count; i++) sum += this[i] / largest * (this[i] / largest);
        return largest * Math.Sqrt(sum);
    }

    /// <summary>Σ g² of so many numbers from one on.</summary>
    public abstract double SumOfSquares(int from, int count);

    /// <summary>All numbers times a factor.</summary>
    public void Scale(double factor) => Scale(0, Length, factor);

    /// <summary>So many numbers from one on times a factor.</summary>
    public abstract void Scale(int from, int count, double factor);

    /// <summary>A copy in float64.</summary>
    public abstract double[] ToArray();

    /// <summary>Every number becomes what the change says, in order.</summary>
    internal abstract void Change<TChange>(ref TChange change) where TChange : struct, IElementChange;

    /// <summary>Every number is told, in order.</summary>
    internal abstract void Fold<TFold>(ref TFold fold) where TFold : struct, IElementFold;
}

internal sealed class GradientVector<T>(Memory<T> numbers) : GradientVector
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public override int Length => numbers.Length;

    public override double this[int i]
    {
        get => double.CreateTruncating(numbers.Span[i]);
        set => numbers.Span[i] = T.CreateTruncating(value);
    }

    public override double SumOfSquares(int from, int count)
    {
        var sum = 0.0;
        foreach (var number in numbers.Span.Slice(from, count))
        {
            var v = double.CreateTruncating(number);
            sum += v * v;
        }

        return sum;
    }

    public override void Scale(int from, int count, double factor)
    {
        foreach (ref var number in numbers.Span.Slice(from, count))
            number = T.CreateTruncating(double.CreateTruncating(number) * factor);
    }

    public override double[] ToArray()
    {
        var copy = new double[Length];
        var span = numbers.Span;
        for (var i = 0; i < copy.Length; i++) copy[i] = double.CreateTruncating(span[i]);
        return copy;
    }

    internal override void Change<TChange>(ref TChange change)
    {
        var span = numbers.Span;
        for (var i = 0; i < span.Length; i++)
            span[i] = T.CreateTruncating(change.Of(i, double.CreateTruncating(span[i])));
    }

    internal override void Fold<TFold>(ref TFold fold)
    {
        foreach (var number in numbers.Span) fold.Take(double.CreateTruncating(number));
    }
}

/// <summary>The elements of a dense tensor as memory.</summary>
internal sealed class TensorMemory<T>(Tensor tensor) : MemoryManager<T> where T : unmanaged
{
    private readonly Tensor _tensor = tensor.IsContiguous ? tensor
        : throw new ShapeException($"a gradient lies dense in memory, not as a view {tensor.Type}: copy it first");

    public override Span<T> GetSpan() => _tensor.Writable<T>();

    public override MemoryHandle Pin(int elementIndex = 0) =>
        throw new NotSupportedException("elements of a tensor are not pinned this way");

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }
}
