using System.Text.Json;

namespace Convoy.LoadTests.Messaging;

/// <summary>
/// One JSON object a line: a figure, its yardstick from the same run where there is one, and what it has to be.
/// </summary>
internal static class Report
{
    /// <param name="what">What was measured.</param>
    /// <param name="value">Median over the rounds.</param>
    /// <param name="unit">Of the value and of the bound.</param>
    /// <param name="atLeast">The bound; null: this line has none.</param>
    /// <param name="atMost">The bound of a figure that should be small.</param>
    /// <param name="more">Further fields, in this order.</param>
    public static void Line(
        string what, double value, string unit, double? atLeast = null, double? atMost = null,
        params (string Name, object Value)[] more)
    {
        var fields = new List<KeyValuePair<string, object>>
            { new("what", what), new("value", Math.Round(value, 3)), new("unit", unit) };
        if (atLeast is { } least) fields.Add(new("at_least", least));
        if (atMost is { } most) fields.Add(new("at_most", most));
        if (atLeast is not null || atMost is not null)
            fields.Add(new("holds", !(value < atLeast) && !(value > atMost)));
        foreach (var (name, field) in more) fields.Add(new(name, field is double d ? Math.Round(d, 3) : field));
        Console.WriteLine(
            "{" + string.Join(", ", fields.Select(f => $"\"{f.Key}\": {JsonSerializer.Serialize(f.Value)}")) + "}");
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
