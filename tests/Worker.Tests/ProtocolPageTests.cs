using System.Runtime.CompilerServices;
using Convoy.Shared.Protocol;
using Convoy.Worker.Collectives;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests;

/// <summary>The tables in docs/protocols are those of the code. CONVOY_REWRITE=1 writes them there.</summary>
public sealed class ProtocolPageTests
{
    [Fact]
    public void Step() => Check("step.md", TransitionTable.ToMarkdown(StepProtocol.Transitions));

    [Fact]
    public void Exchange() => Check("exchange.md", TransitionTable.ToMarkdown(ExchangeProtocol.Transitions));

    private static void Check(string page, string table, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "docs", "protocols", page);
        var text = File.ReadAllText(path).ReplaceLineEndings("\n");
        const string heading = "## Transitions\n\n";
        var from = text.IndexOf(heading, StringComparison.Ordinal) + heading.Length;
        var end = text.IndexOf("\n\n", from, StringComparison.Ordinal) + 1;
        if (Environment.GetEnvironmentVariable("CONVOY_REWRITE") == "1")
            File.WriteAllText(path, string.Concat(text.AsSpan(0, from), table, text.AsSpan(end)));
        else
            Assert.Equal(table, text[from..end]);
    }
}
