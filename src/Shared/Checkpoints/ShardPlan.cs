using Convoy.Shared.Tensors;

namespace Convoy.Shared.Checkpoints;

/// <summary>Name and shape of a saved tensor.</summary>
public sealed record TensorName(string Name, Shape Shape);

/// <summary>
/// Which tensors lie in which shard: contiguous runs of the list, about equal in bytes. A pure function, so all workers
/// agree without asking. A shard may be empty when there are more writers than tensors.
/// </summary>
public static class ShardPlan
{
    public const string WeightsPrefix = "weights/";

    public static string Weights(string parameter) => WeightsPrefix + parameter;

    public static string State(string stateName, string parameter) => $"{stateName}/{parameter}";

    /// <summary>All tensors of a replica in the order they are dealt: weights of every parameter, then each optimizer
    /// state.</summary>
    public static IReadOnlyList<TensorName> Tensors(IReadOnlyList<TensorName> parameters,
        IReadOnlyList<string> stateNames) =>
    [
        .. parameters.Select(p => p with { Name = Weights(p.Name) }),
        .. stateNames.SelectMany(state => parameters.Select(p => p with { Name = State(state, p.Name) })),
    ];

    /// <summary>Indices [from, end) of the tensors of each shard.</summary>
    public static IReadOnlyList<(int From, int End)> Divide(IReadOnlyList<TensorName> tensors, int shards)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(shards, 1);
        var total = tensors.Sum(t => t.Shape.Count);
        var ranges = new List<(int, int)>(shards);
        var (index, sum) = (0, 0L);
        for (var shard = 1; shard <= shards; shard++)
        {
            var from = index;
            // A tensor belongs to the shard in which its middle lies, so no shard is off by more than half a tensor.
            while (index < tensors.Count
                && (shard == shards || MiddleOf(tensors[index], sum) * shards < (Int128)total * 2 * shard))
                sum += tensors[index++].Shape.Count;
            ranges.Add((from, index));
        }

        return ranges;
    }

    private static Int128 MiddleOf(TensorName tensor, long before) => ((Int128)before * 2) + tensor.Shape.Count;
}
