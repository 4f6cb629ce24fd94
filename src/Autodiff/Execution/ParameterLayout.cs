using Convoy.Autodiff.Graphs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>Where a parameter lies in the flat vector of weights (and of gradients, and of optimizer state).</summary>
public sealed record ParameterSlot(string Name, Shape Shape, long Offset, long Length);

/// <summary>
/// All parameters in one vector, in the order of the graph. Each starts at a multiple of 16 elements, so that vector
/// code meets aligned rows; what lies between is zero and stays zero.
/// </summary>
public sealed class ParameterLayout
{
    private const int AlignmentElements = 16;

    private ParameterLayout(ParameterSlot[] slots, long total)
    {
        (Slots, TotalLength) = (slots, total);
    }

    /// <summary>In the order of the graph's parameters.</summary>
    public IReadOnlyList<ParameterSlot> Slots { get; }
    /// <summary>Elements of the flat vector, gaps included.</summary>
    public long TotalLength { get; }

    /// <summary>The layout of a graph's parameters.</summary>
    public static ParameterLayout Of(Graph graph)
    {
        var slots = new ParameterSlot[graph.Parameters.Length];
        long at = 0;
        for (var i = 0; i < slots.Length; i++)
        {
            var node = graph.Parameters[i];
            var shape = node.Type.At(0);
            slots[i] = new ParameterSlot(node.Name, shape, at, shape.Count);
            at += (shape.Count + AlignmentElements - 1) / AlignmentElements * AlignmentElements;
        }

        return new ParameterLayout(slots, at);
    }
}
