using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Convoy.Autodiff.Ops;

namespace Convoy.House.Tests;

/// <summary>
/// OPS-21: docs/operators.md says of every operator of the table what it computes and how its gradient goes.
/// </summary>
public sealed partial class OperatorCatalogueTests
{
    private const string Opening = """
        # Operators

        Every operator of `src/Autodiff/Ops/OpTable.cs`: formula, shapes, gradient. Made from the first lines of the files, by
        the test that keeps it true (`CONVOY_REWRITE=1`). x, y, z are operands and results, dx the gradient of x; letters after an underscore name
        dimensions. `convoy verify ops` checks each line.

        """;

    [GeneratedRegex(@"^\s*(?:public|internal|private)?\s*(?:abstract |sealed |partial |static )*class (\w+)")]
    private static partial Regex Declaration();

    [Fact]
    public void TheCatalogue_SaysOfEveryOperatorWhatItComputes()
    {
        var headers = Headers();
        var text = new StringBuilder(Opening.ReplaceLineEndings("\n"));
        foreach (var category in Enum.GetValues<OpCategory>())
        {
            var ops = OpTable.All.Where(op => OpCategories.Of(op) == category)
                .OrderBy(op => op.Name, StringComparer.Ordinal).ToArray();
            if (ops.Length == 0) continue;
            text.Append(CultureInfo.InvariantCulture, $"\n## {category} ({ops.Length})\n");
            foreach (var op in ops)
            {
                Assert.True(
                    headers.TryGetValue(op.GetType().Name, out var lines) && lines.Count > 0,
                    $"{op.Name}: its file does not say above the class what it computes");
                text.Append(CultureInfo.InvariantCulture, $"\n`{op.Name}`\n\n");
                foreach (var line in lines!) text.Append("    ").Append(line).Append('\n');
                if (category == OpCategory.Composition)
                    text.Append("    gradient: that of the operators it is written in\n");
            }
        }

        Assert.Equal(OpTable.All.Length, OpTable.All.Select(op => op.Name).Distinct().Count());
        Repository.Same("docs/operators.md", text.ToString());
    }

    // The comment above each class; a class that follows another without one shares its comment.
    private static Dictionary<string, IReadOnlyList<string>> Headers()
    {
        var headers = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        var files = Directory.EnumerateFiles(Repository.PathOf("src/Autodiff/Ops"), "*.cs",
            SearchOption.AllDirectories);
        foreach (var file in files.Order(StringComparer.Ordinal))
        {
            var lines = File.ReadAllLines(file);
            for (var i = 0; i < lines.Length; i++)
            {
                if (!Declaration().Match(lines[i]).Groups.TryGetValue("1", out var name) || !name.Success) continue;
                var from = i;
                while (from > 0 && lines[from - 1].StartsWith("// ", StringComparison.Ordinal)) from--;
                headers[name.Value] = [.. lines[from..i].Select(l => l[3..])];
            }
        }

        return headers;
    }
}
