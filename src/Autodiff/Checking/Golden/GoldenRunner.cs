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

    public static IReadOnlyList<GoldenCase> Run(string file, JsonElement document) => file switch
    {
        "ops.json" =>
            [.. document.EnumerateArray().Select((json, i) => Guarded(file, OpName(json, i), json, Operator))],
        "second_order.json" =>
            [.. document.EnumerateArray().Select(json =>
                Guarded(file, json.GetProperty("f").GetString()!, json, GoldenSecondOrder.Run))],
        "optimizers.json" => [.. document.GetProperty("runs").EnumerateArray().Select(json =>
            Guarded(file, $"{json.GetProperty("optimizer")} {json.GetProperty("hyper")}", json,
                (f, n, j) => GoldenTraining.Optimizer(f, n, document, j)))],
        "schedules.json" => [.. document.EnumerateArray().Select(json =>
            Guarded(file, $"{json.GetProperty("schedule")} {json.GetProperty("hyper")}", json,
                GoldenTraining.Schedule))],
        "traces.json" =>
            [.. document.EnumerateArray().Select(json =>
                Guarded(file, json.GetProperty("trace").GetString()!, json, GoldenTraces.Run))],
        _ => throw new ArgumentException($"{file} is none of {string.Join(", ", Files)}"),
    };

    private static string OpName(JsonElement json, int index) =>
        $"{json.GetProperty("op")} {json.GetProperty("attrs")} #{index}";

    private static GoldenCase Guarded(
        string file, string name, JsonElement json, Func<string, string, JsonElement, GoldenCase?> run)
    {
        try
        {
            return run(file, name, json) ?? GoldenComparison.Unknown(file, name);
        }
        catch (Exception e)
        {
            // A report names what does not run; it must not end there.
            return new GoldenComparison(file, name).Failed(e);
        }
    }

    private static GoldenCase? Operator(string file, string name, JsonElement json)
    {
        var op = json.GetProperty("op").GetString()!;
        if (GoldenOps.Find(op) is not { } function) return null;
        var comparison = new GoldenComparison(file, name);
        Tape.Variable[] inputs =
        [
            .. json.GetProperty("inputs").EnumerateArray().Select(i => GoldenJson.VariableOf(i)),
            .. json.GetProperty("int_inputs").EnumerateArray().Select(i => GoldenJson.VariableOf(i)),
        ];
        var output = (Tape.Variable)function(inputs, json.GetProperty("attrs"));
        comparison.Tensor(json.GetProperty("output"), output.Data, "output");
        if (!json.TryGetProperty("cotangent", out var cotangent)
            || cotangent.ValueKind == JsonValueKind.Null) return comparison.Finish();
        output.Backward(GoldenJson.TensorOf(cotangent));
        var gradients = json.GetProperty("grads");
        for (var i = 0; i < gradients.GetArrayLength(); i++)
        {
            if (gradients[i].ValueKind == JsonValueKind.Null) continue;
            if (inputs[i].Gradient is not { } gradient) comparison.Note($"gradient {i}: none flows");
            else comparison.Tensor(gradients[i], gradient, $"gradient {i}", ToleranceOf(op));
        }

        return comparison.Finish();
    }

    // The figures of this one gradient have 1/6 rounded to float32: they agree to 3e-8, not to 1e-9.
    private static double ToleranceOf(string op) => op == "hard_sigmoid" ? 1e-7 : GoldenComparison.Relative;
}
