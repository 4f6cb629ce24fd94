using System.Globalization;
using Convoy.Shared.Ids;

namespace Convoy.Shared.Checkpoints;

/// <summary>Names in the folder of checkpoints.</summary>
public static class CheckpointNames
{
    internal const string PartialSuffix = ".partial";
    internal const string ReplacedSuffix = ".replaced";
    internal const string DeletedSuffix = ".deleted";
    private const string Prefix = "step-";
    private const string Alone = ".by-";

    /// <summary><c>step-00000100</c>: published.</summary>
    public static string Published(StepNumber step) =>
        $"{Prefix}{step.Value.ToString("D8", CultureInfo.InvariantCulture)}";

    /// <summary><c>step-00000100.g3.partial</c>: being written by the members of generation 3.</summary>
    public static string Partial(StepNumber step, Generation generation) =>
        $"{Published(step)}.{generation}{PartialSuffix}";

    /// <summary>
    /// <c>step-00000100.g3.by-w1.partial</c>: being written by one worker alone, all of it.
    /// </summary>
    public static string Partial(StepNumber step, Generation generation, string writer) =>
        writer.Length == 0 ? Partial(step, generation)
            : $"{Published(step)}.{generation}{Alone}{writer}{PartialSuffix}";

    internal static bool IsAlone(string name) => name.StartsWith(Prefix, StringComparison.Ordinal)
        && name.Contains(Alone, StringComparison.Ordinal) && name.EndsWith(PartialSuffix, StringComparison.Ordinal);

    /// <summary><c>shard-00001-of-00003.safetensors</c>, counted from 1.</summary>
    public static string Shard(int index, int count) =>
        string.Create(CultureInfo.InvariantCulture, $"shard-{index + 1:D5}-of-{count:D5}.safetensors");

    public static bool TryReadPublished(string name, out StepNumber step)
    {
        step = default;
        if (!name.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        if (!long.TryParse(name.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;
        step = new StepNumber(number);
        return name == Published(step);
    }

    public static bool TryReadPartial(string name, out StepNumber step, out Generation generation)
    {
        (step, generation) = (default, default);
        var dot = name.IndexOf(".g", StringComparison.Ordinal);
        if (dot < 0 || !name.EndsWith(PartialSuffix, StringComparison.Ordinal)
            || !TryReadPublished(name[..dot], out step)) return false;
        if (!long.TryParse(name.AsSpan((dot + 2)..^PartialSuffix.Length), NumberStyles.None,
            CultureInfo.InvariantCulture, out var g)) return false;
        generation = new Generation(g);
        return name == Partial(step, generation);
    }
}
