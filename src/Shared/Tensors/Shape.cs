using System.Collections.Immutable;

namespace Convoy.Shared.Tensors;

/// <summary>Sizes of the dimensions of a tensor, row-major. Rank 0 is a scalar; zero sizes are legal.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly ImmutableArray<int> _dims;

    public Shape(params ReadOnlySpan<int> dims)
    {
        if (dims.Length > Limits.TensorRankMax)
            throw new ArgumentException($"a tensor has at most {Limits.TensorRankMax} dimensions, not {dims.Length}");
        foreach (var d in dims)
            if (d < 0)
                throw new ArgumentException($"a dimension is not negative: [{string.Join(", ", dims.ToArray())}]");
        _dims = [.. dims];
    }

    public static readonly Shape Scalar = new([]);

    public ReadOnlySpan<int> Dims => _dims.IsDefault ? [] : _dims.AsSpan();
    public int Rank => _dims.IsDefault ? 0 : _dims.Length;
    public int this[int axis] => _dims[axis < 0 ? axis + Rank : axis];

    /// <summary>Number of elements.</summary>
    public long Count
    {
        get
        {
            long count = 1;
            foreach (var d in Dims) count = checked(count * d);
            return count;
        }
    }

    public bool Equals(Shape other) => Dims.SequenceEqual(other.Dims);
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    public override int GetHashCode()
    {
        var hash = 17;
        foreach (var d in Dims) hash = unchecked((hash * 31) + d);
        return hash;
    }

    public static bool operator ==(Shape a, Shape b) => a.Equals(b);
    public static bool operator !=(Shape a, Shape b) => !a.Equals(b);
    public override string ToString() => $"[{string.Join(", ", Dims.ToArray())}]";
}
