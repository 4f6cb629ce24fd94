using System.Runtime.CompilerServices;

namespace Convoy.Tests;

/// <summary>
/// The transition table on a protocol's page is the one in its code. CONVOY_REWRITE=1 writes the pages. Compiled into
/// each test project that has protocols.
/// </summary>
internal static class ProtocolPage
{
    private const string Head = "| from | to | on |\n|---|---|---|\n";

    /// <param name="page">File in docs/protocols.</param>
    /// <param name="table">The table as the code has it.</param>
    public static void Check(string page, string table)
    {
        var path = Path.Combine(Path.GetDirectoryName(Here())!, "..", "docs", "protocols", page);
        var text = File.ReadAllText(path).ReplaceLineEndings("\n");
        var from = text.IndexOf(Head, StringComparison.Ordinal);
        Assert.True(from >= 0, $"{page} has no transition table");
        var end = text.IndexOf("\n\n", from, StringComparison.Ordinal) + 1;
        if (Environment.GetEnvironmentVariable("CONVOY_REWRITE") == "1")
            File.WriteAllText(path, string.Concat(text.AsSpan(0, from), table, text.AsSpan(end)));
        else Assert.Equal(table, text[from..end]);
    }

    private static string Here([CallerFilePath] string here = "") => here;
}
