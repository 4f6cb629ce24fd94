using System.Globalization;

namespace Convoy.Kernels.Cpu.Numa;

/// <summary>Which processors share a piece of memory: the nodes of a machine, by their numbers.</summary>
internal sealed class NumaTopology
{
    /// <summary>A machine with one memory, or one that tells nothing.</summary>
    public static readonly NumaTopology Flat = new([]);

    private readonly Dictionary<int, int> _nodeOf = [];

    public NumaTopology(IReadOnlyList<(int Node, IReadOnlyList<int> Processors)> nodes)
    {
        Nodes = nodes.Count;
        foreach (var (node, processors) in nodes)
            foreach (var processor in processors) _nodeOf[processor] = node;
    }

    public int Nodes { get; }

    /// <summary>Node of a processor; null: unknown.</summary>
    public int? NodeOf(int processor) => _nodeOf.TryGetValue(processor, out var node) ? node : null;

    /// <summary>
    /// From the files of /sys/devices/system/node: "online" lists the nodes, "nodeN/cpulist" the processors of one,
    /// both as "0-3,8". Nodes without processors hold memory only, and nobody is near them. What cannot be read is a
    /// flat machine.
    /// </summary>
    /// <param name="read">Text of a file, or null.</param>
    public static NumaTopology OfFiles(Func<string, string?> read)
    {
        if (Numbers(read("online")) is not { } online) return Flat;
        var nodes = new List<(int, IReadOnlyList<int>)>();
        foreach (var node in online)
        {
            var file = string.Create(CultureInfo.InvariantCulture, $"node{node}/cpulist");
            if (Numbers(read(file)) is { Count: > 0 } processors) nodes.Add((node, processors));
        }

        return new NumaTopology(nodes);
    }

    private static List<int>? Numbers(string? list)
    {
        if (list is null) return null;
        var numbers = new List<int>();
        foreach (var range in list.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = range.Split('-');
            if (ends.Length > 2 || !Number(ends[0], out var from) || !Number(ends[^1], out var end) || end < from
                || end >= ProcessorsMax) return null;
            numbers.AddRange(Enumerable.Range(from, end - from + 1));
        }

        return numbers;
    }

    // More than any kernel is built for; a broken file should not cost memory.
    private const int ProcessorsMax = 1 << 16;

    private static bool Number(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
