using System.Runtime.CompilerServices;
using Convoy.Coordinator.Checkpoints;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Tests;

/// <summary>The table on a protocol's page is the table in its code. CONVOY_REWRITE=1 writes the pages.</summary>
public sealed class ProtocolPageTests
{
    private const string Head = "| from | to | on |\n|---|---|---|\n";

    [Fact]
    public void Membership() => Check("membership.md", TransitionTable.ToMarkdown(MembershipProtocol.Transitions));

    [Fact]
    public void Job() => Check("job.md", TransitionTable.ToMarkdown(JobProtocol.Transitions));

    [Fact]
    public void Checkpoint() => Check("checkpoint.md", TransitionTable.ToMarkdown(CheckpointProtocol.Transitions));

    private static void Check(string page, string table, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "docs", "protocols", page);
        var text = File.ReadAllText(path).ReplaceLineEndings("\n");
        var from = text.IndexOf(Head, StringComparison.Ordinal);
        Assert.True(from >= 0, $"{page} has no transition table");
        var end = text.IndexOf("\n\n", from, StringComparison.Ordinal) + 1;
        if (Environment.GetEnvironmentVariable("CONVOY_REWRITE") == "1")
            File.WriteAllText(path, text[..from] + table + text[end..]);
        else Assert.Equal(table, text[from..end]);
    }
}
