using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Convoy.Autodiff.Ops;

namespace Convoy.House.Tests;

/// <summary>
/// OPS-21: docs/operators.md, and the comment above each field of the table, say of every operator what it computes and
/// how its gradient goes. Both are made from the first lines of the operator's file.
/// </summary>
public sealed partial class OperatorCatalogueTests
{
    private const string Opening = """
        # Operators

        Every operator of `src/Autodiff/Ops/OpTable.cs`: formula, shapes, gradient. Made from the first lines of the files, by
        the test that keeps it true (`CONVOY_REWRITE=1`). x, y, z are operands and results, dx the gradient of x; letters after an underscore name
        dimensions. `convoy verify ops` checks each line.

        """;

    private const string Table = "src/Autodiff/Ops/OpTable.cs";
    private const int WidthMax = 116;

    [GeneratedRegex(@"^    public static readonly Op (\w+) = new (\w+)\(\);$")]
    private static partial Regex Field();

    [GeneratedRegex(@"^(\w{1,8}|d \w+|\w+\[[^\]]*\]|[a-z]+ and [a-z]+) = |^(no |linear |the gradient|gradient)")]
    private static partial Regex Formula();

    [GeneratedRegex(@"^\s*(?:public|internal|private)?\s*(?:abstract |sealed |partial |static )*class (\w+)")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"[ ]{2,}")]
    private static partial Regex Spaces();

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

    [Fact]
    public void TheTable_SaysOfEveryOperatorWhatItComputes()
    {
        var headers = Headers();
        var lines = new List<string>();
        foreach (var line in Repository.Read(Table).Split('\n'))
        {
            var field = Field().Match(line);
            if (field.Success)
            {
                while (lines[^1].TrimStart().StartsWith("///", StringComparison.Ordinal)) lines.RemoveAt(lines.Count - 1);
                var op = OpTable.All.Single(o => o.GetType().Name == field.Groups[2].Value);
                lines.AddRange(Comment(op, headers[op.GetType().Name]));
            }

            lines.Add(line);
        }

        Repository.Same(Table, string.Join('\n', lines));
    }

    private static IEnumerable<string> Comment(Op op, IReadOnlyList<string> header)
    {
        var text = new StringBuilder();
        foreach (var line in header)
        {
            var starts = text.Length > 0 && text[^1] is not (';' or ',' or ':' or '.') && Formula().IsMatch(line);
            if (text.Length > 0) text.Append(starts ? "; " : " ");
            text.Append(Spaces().Replace(line.TrimEnd(), m => m.Index > 0 ? "; " : ""));
        }

        while (text[^1] == '.') text.Length--;
        if (OpCategories.Of(op) == OpCategory.Composition) text.Append("; gradient: that of the operators it is written in");
        text.Replace("; ->", " ->").Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
        var row = new StringBuilder("    /// <summary>");
        foreach (var word in $"<c>{op.Name}</c>: {text}.</summary>".Split(' '))
        {
            if (row.Length + 1 + word.Length > WidthMax)
            {
                yield return row.ToString();
                row.Clear().Append("    ///");
            }

            if (row[^1] != '>' || row.Length > 17) row.Append(' ');
            row.Append(word);
        }

        yield return row.ToString();
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
