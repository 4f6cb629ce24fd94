using System.Collections.Immutable;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>Lists of dimensions in attributes: in range, ascending, each once.</summary>
internal static class Axes
{
    /// <summary>
    /// Turns what a user wrote (negative from the end, nothing for all) into the form that nodes carry.
    /// </summary>
    public static int[] Normalize(ReadOnlySpan<int> axes, TensorType x, string op)
    {
        if (axes.Length == 0) return [.. Enumerable.Range(0, x.Rank)];
        // A number by itself: its only axis, if it had one.
        if (x.Rank == 0 && axes.Length == 1 && axes[0] is 0 or -1) return [];
        var list = new SortedSet<int>();
        foreach (var axis in axes)
        {
            if (!list.Add(One(axis, x, op)))
                throw new ShapeException($"{op}: dimension {axis} of {x.Text} is named twice");
        }

        return [.. list];
    }

    public static int One(int axis, TensorType x, string op) => One(axis, x.Rank, x, op);

    /// <summary>A place for a dimension more: from before the first to after the last.</summary>
    public static int OneMore(int axis, TensorType x, string op) => One(axis, x.Rank + 1, x, op);

    private static int One(int axis, int rank, TensorType x, string op)
    {
        var at = axis < 0 ? axis + rank : axis;
        if ((uint)at < (uint)rank) return at;
        var legal = rank == 0 ? "a single number has none" : $"it is {-rank} to {rank - 1}";
        throw new ShapeException($"{op}: there is no dimension {axis} of {x.Text}: {legal}");
    }

    /// <summary>What a node carries must already be normal: it may come from a stranger.</summary>
    public static void Check(ImmutableArray<int> axes, int rank, string op)
    {
        for (var i = 0; i < axes.Length; i++)
        {
            if ((uint)axes[i] >= (uint)rank || (i > 0 && axes[i] <= axes[i - 1]))
                throw new ShapeException($"{op}: [{string.Join(",", axes)}] are not ascending dimensions of {rank}");
        }
    }

    public static bool ArePrefix(ImmutableArray<int> axes)
    {
        for (var i = 0; i < axes.Length; i++)
            if (axes[i] != i) return false;
        return true;
    }

    /// <summary>The shape after a reduction over the axes.</summary>
    public static Dim[] Reduced(TensorType x, ImmutableArray<int> axes, bool keep)
    {
        var dims = new List<Dim>(x.Rank);
        for (var i = 0; i < x.Rank; i++)
        {
            if (!axes.Contains(i)) dims.Add(x[i]);
            else if (keep) dims.Add(1);
        }

        return [.. dims];
    }
}
