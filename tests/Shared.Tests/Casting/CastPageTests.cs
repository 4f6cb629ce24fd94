using System.Runtime.CompilerServices;
using Convoy.Shared.Casting;
using Convoy.Shared.Protocol;

namespace Convoy.Shared.Tests.Casting;

/// <summary>The table in docs/protocols/cast.md is that of the code. CONVOY_REWRITE=1 writes it there.</summary>
public sealed class CastPageTests
{
    [Fact]
    public void Transitions_stand_on_the_page() => Check(TransitionTable.ToMarkdown(CastProtocol.Transitions));

    private static void Check(string table, [CallerFilePath] string here = "")
    {
        var path = Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "docs", "protocols", "cast.md");
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
