using System.Globalization;

namespace Convoy.Autodiff.Tensors;

/// <summary>
/// What a view takes of one dimension: everything, one index (the dimension goes away), or a stepped range.
/// </summary>
public readonly record struct SliceSpec
{
    private SliceSpec(Index from, Index end, int step, bool single)
    {
        (From, End, Step, IsSingle) = (from, end, step, single);
    }

    /// <summary>The first element.</summary>
    public Index From { get; }
    /// <summary>The element after the last.</summary>
    public Index End { get; }
    /// <summary>The distance from one element to the next: 1 or more, or -1 for all of them backwards.</summary>
    public int Step { get; }
    /// <summary>One index: the dimension goes away.</summary>
    public bool IsSingle { get; }

    /// <summary>The whole dimension.</summary>
    public static readonly SliceSpec All = new(0, ^0, 1, false);

    /// <summary>One index; the dimension goes away.</summary>
    public static SliceSpec At(Index index) => new(index, index, 1, true);

    /// <summary>Every step-th element from one index to before another.</summary>
    /// <exception cref="ShapeException">The step is below 1.</exception>
    public static SliceSpec Range(Index from, Index end, int step = 1) =>
        step > 0 ? new SliceSpec(from, end, step, false)
        : throw new ShapeException($"the step of a slice is positive, not {step}");

    /// <summary>All elements from the last to the first.</summary>
    public static SliceSpec Reversed => new(0, ^0, -1, false);

    /// <summary>One index, negative ones from the end.</summary>
    public static implicit operator SliceSpec(int index) => At(index < 0 ? ^(-index) : index);
    /// <summary>One index.</summary>
    public static implicit operator SliceSpec(Index index) => At(index);
    /// <summary>A range such as 1..^1.</summary>
    public static implicit operator SliceSpec(Range range) => Range(range.Start, range.End);

    /// <summary>First index, count and step on a dimension of <paramref name="size"/> elements.</summary>
    internal (int From, int Count, int Step) Resolve(int size, int axis)
    {
        var from = From.GetOffset(size);
        if (IsSingle)
        {
            if ((uint)from >= (uint)size) throw OutOfRange(from, size, axis);
            return (from, 1, 1);
        }

        var end = End.GetOffset(size);
        if (from < 0 || end > size || from > end)
        {
            throw new ShapeException(string.Create(
                CultureInfo.InvariantCulture, $"slice {from}..{end} does not fit dimension {axis} of size {size}"));
        }

        return Step > 0 ? (from, (end - from + Step - 1) / Step, Step) : (size - 1, size, -1);
    }

    private static ShapeException OutOfRange(int index, int size, int axis) =>
        new(string.Create(CultureInfo.InvariantCulture, $"index {index} is outside dimension {axis} of size {size}"));
}
