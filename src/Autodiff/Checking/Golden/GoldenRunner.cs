using System.Text.Json;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>
/// Runs files of reference figures. Each file is a JSON document of one of five kinds, told by its name; see
/// docs/verify.md for the fields.
/// </summary>
public static class GoldenRunner
{
    /// <summary>The names of the files, in the order in which they are run.</summary>
    public static readonly IReadOnlyList<string> Files =
        ["ops.json", "second_order.json", "optimizers.json", "schedules.json", "traces.json"];

    /// <summary>Computes every case of a file and compares it with its reference.</summary>
    /// <exception cref="ArgumentException">The file is none of them.</exception>
    /// <param name="file">One of <see cref="Files"/>.</param>
    /// <param name="document">What it holds.</param>
    /// <param name="tolerance">1e-9 relative and 1e-11 absolute when none is named.</param>
    public static IReadOnlyList<GoldenCase> Run(
        string file, JsonElement document, GoldenTolerance? tolerance = null)
    {
        GoldenComparison Case(string name) => new(file, name, tolerance ?? new GoldenTolerance());
        return file switch
        {
            "ops.json" => [.. document.EnumerateArray().Select((json, i) =>
                Guarded(Case(OpName(json, i)), json, GoldenOperator.Compare))],
            "second_order.json" => [.. document.EnumerateArray().Select(json =>
                Guarded(Case(json.GetProperty("f").GetString()!), json, GoldenSecondOrder.Run))],
            "optimizers.json" => [.. document.GetProperty("runs").EnumerateArray().Select(json =>
                Guarded(Case($"{json.GetProperty("optimizer")} {json.GetProperty("hyper")}"), json,
                    (c, j) => GoldenTraining.Optimizer(c, document, j)))],
            "schedules.json" => [.. document.EnumerateArray().Select(json =>
                Guarded(Case($"{json.GetProperty("schedule")} {json.GetProperty("hyper")}"), json,
                    GoldenTraining.Schedule))],
            "traces.json" => [.. document.EnumerateArray().Select(json =>
                Guarded(Case(json.GetProperty("trace").GetString()!), json, GoldenTraces.Run))],
            _ => throw new ArgumentException($"{file} is none of {string.Join(", ", Files)}"),
        };
    }

    private static string OpName(JsonElement json, int index) =>
        $"{json.GetProperty("op")} {json.GetProperty("attrs")} #{index}";

    private static GoldenCase Guarded(
        GoldenComparison comparison, JsonElement json, Func<GoldenComparison, JsonElement, GoldenCase?> run)
    {
        try
        {
            return run(comparison, json) ?? comparison.Unknown();
        }
        catch (Exception e)
        {
            // A report names what does not run; it must not end there.
            return comparison.Failed(e);
        }
    }
}
