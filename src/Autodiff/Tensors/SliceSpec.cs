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

    public Index From { get; }
    public Index End { get; }
    public int Step { get; }
    public bool IsSingle { get; }

    public static readonly SliceSpec All = new(0, ^0, 1, false);

    public static SliceSpec At(Index index) => new(index, index, 1, true);

    public static SliceSpec Range(Index from, Index end, int step = 1) =>
        step > 0 ? new SliceSpec(from, end, step, false)
        : throw new ShapeException($"the step of a slice is positive, not {step}");

    /// <summary>All elements from the last to the first.</summary>
    public static SliceSpec Reversed => new(0, ^0, -1, false);

    public static implicit operator SliceSpec(int index) => At(index < 0 ? ^(-index) : index);
    public static implicit operator SliceSpec(Index index) => At(index);
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
