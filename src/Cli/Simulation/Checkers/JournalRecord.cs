using System.Text.Json;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// An event of the journal, read from its text: the names of the format, not the types of the system.
/// </summary>
internal sealed class JournalRecord(string json)
{
    private readonly JsonElement _root = JsonDocument.Parse(json).RootElement;

    public long Number(string name) => _root.GetProperty(name).GetInt64();

    public string Text(string name) => _root.GetProperty(name).GetString() ?? "";

    public int[] Numbers(string name) => [.. _root.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];
}
