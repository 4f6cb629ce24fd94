namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// L6: whoever is told that a command is accepted finds it in the journal, under whichever leader; and a command that
/// was given several times is there once.
/// </summary>
internal sealed class CommandsChecker : Checker
{
    private readonly SortedSet<string> _durable = new(StringComparer.Ordinal);

    public override void OnAppended(long token, string type, JournalRecord record)
    {
        if (type is not ("stop_asked" or "scale_asked") || record.Text("command") is not { Length: > 0 } command) return;
        Check(_durable.Add(command), $"k{token} takes {command} a second time");
    }

    public override void OnAnswered(string command) =>
        Check(_durable.Contains(command), $"{command} is accepted and is not in the journal");
}
