using System.Globalization;
using System.Net;
using System.Text;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking;

/// <summary>The matrix for people: as a table of letters, and as a page.</summary>
public static class OpMatrixText
{
    private static readonly OpCheckKind[] Kinds = Enum.GetValues<OpCheckKind>();

    private static readonly string[] Titles =
        ["forward", "gradient", "second", "tangent", "broadcast", "empty", "strided", "vmap"];

    /// <summary>
    /// A line per operator: + passed (under vmap: how), . does not apply, ! gap; float64 first, then float32.
    /// </summary>
    public static string Table(IReadOnlyList<OpRow> rows)
    {
        var text = new StringBuilder();
        var width = rows.Count == 0 ? 8 : Math.Max(8, rows.Max(r => r.Name.Length));
        text.Append(CultureInfo.InvariantCulture, $"{"operator".PadRight(width)}");
        foreach (var title in Titles) text.Append(CultureInfo.InvariantCulture, $"  {title,-9}");
        text.Append('\n');
        foreach (var row in rows)
        {
            text.Append(row.Name.PadRight(width));
            foreach (var kind in Kinds)
                text.Append(CultureInfo.InvariantCulture,
                    $"  {$"{Sign(row, kind, DType.Float64)} {Sign(row, kind, DType.Float32)}",-9}");
            text.Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A page that needs nothing else: operators down, checks across, reasons as tooltips.</summary>
    public static string Html(IReadOnlyList<OpRow> rows)
    {
        var text = new StringBuilder();
        text.Append("<!doctype html><meta charset=\"utf-8\"><title>Operators</title><style>");
        text.Append(
            "body{font:14px system-ui;margin:2em}td,th{padding:2px 10px;text-align:center}td:first-child{text-align:left}");
        text.Append(".pass{background:#cfe8cf}.gap{background:#f0b0b0}.na{color:#999}</style>");
        text.Append(CultureInfo.InvariantCulture,
            $"<h1>{rows.Count} operators, {rows.Sum(r => r.Gaps.Count())} gaps</h1>");
        text.Append("<p>Left float64, right float32. Point at a cell for the reason.</p><table><tr><th>operator");
        foreach (var title in Titles) text.Append(CultureInfo.InvariantCulture, $"<th colspan=\"2\">{title}");
        foreach (var row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"<tr><td>{WebUtility.HtmlEncode(row.Name)}");
            foreach (var kind in Kinds)
            {
                foreach (var dtype in new[] { DType.Float64, DType.Float32 })
                {
                    var cell = row.Cells.First(c => c.Check == kind && c.DType == dtype);
                    var style = cell.State switch { OpCellState.Pass => "pass", OpCellState.Gap => "gap", _ => "na" };
                    text.Append(CultureInfo.InvariantCulture,
                        $"<td class=\"{style}\" title=\"{WebUtility.HtmlEncode(cell.Note)}\">{Sign(row, kind, dtype)}");
                }
            }
        }

        return text.Append("</table>\n").ToString();
    }

    private static string Sign(OpRow row, OpCheckKind kind, DType dtype)
    {
        var cell = row.Cells.First(c => c.Check == kind && c.DType == dtype);
        return cell.State switch
        {
            OpCellState.Pass => kind == OpCheckKind.Vmap ? cell.Note : "+",
            OpCellState.Gap => "!",
            _ => ".",
        };
    }
}
