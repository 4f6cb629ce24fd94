using System.Text.Json;
using Convoy.Autodiff.Optim.Rules;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>Optimizers on a stream of gradients, and schedules, in float64.</summary>
internal static class GoldenTraining
{
    // What optimizers and schedules are told there and mean here; another name is not passed over in silence.
    private static readonly string[] Hyper =
    [
        "lr", "weight_decay", "momentum", "nesterov", "amsgrad", "centered", "betas", "eps", "rho", "alpha", "lr_decay",
        "initial_accumulator_value", "dampening", "momentum_decay", "maximize",
    ];

    private static readonly string[] Courses =
    [
        "step_size", "gamma", "milestones", "T_max", "eta_min", "T_0", "T_mult", "start_factor", "end_factor",
        "total_iters", "power", "max_lr", "total_steps", "pct_start", "div_factor", "final_div_factor", "factor",
        "anneal_strategy", "cycle_momentum", "three_phase",
    ];

    // The first name that means nothing here; what is false or 0 asks for nothing.
    private static string? Stranger(JsonElement hyper, string[] known) =>
        hyper.EnumerateObject().Where(p => !known.Contains(p.Name) && p.Value.ValueKind != JsonValueKind.False
            && !(p.Value.ValueKind == JsonValueKind.Number && p.Value.GetDouble() == 0)).Select(p => p.Name)
            .FirstOrDefault();

    /// <summary>The first setting of an optimizer that means nothing here, or null.</summary>
    internal static string? Stranger(JsonElement hyper) => Stranger(hyper, Hyper);

    public static GoldenCase? Optimizer(GoldenComparison comparison, JsonElement document, JsonElement run)
    {
        var hyper = run.GetProperty("hyper");
        if (Stranger(hyper, Hyper) is { } stranger) return comparison.Unknown($"{stranger} is unknown");
        if (GoldenUpdate.Of(run.GetProperty("optimizer").GetString()!, hyper) is not { } update) return null;
        var w = GoldenJson.Numbers(document.GetProperty("p0"));
        var state = update.StateOf(w.Length);
        ParameterSpan[] whole = [new ParameterSpan(0, w.Length)];
        var t = 0;
        foreach (var expected in run.GetProperty("trajectory").EnumerateArray())
        {
            var gradient = GoldenJson.Numbers(document.GetProperty("grads")[t]);
            update.Rule.Apply<double>(w, gradient, state, update.Step(++t), whole);
            comparison.Numbers(GoldenJson.Numbers(expected), w, $"step {t}");
        }

        return comparison.Finish();
    }

    public static GoldenCase? Schedule(GoldenComparison comparison, JsonElement json)
    {
        if (Stranger(json.GetProperty("hyper"), Courses) is { } stranger)
            return comparison.Unknown($"{stranger} is unknown");
        if (CourseOf(json.GetProperty("schedule").GetString()!, json.GetProperty("base_lr").GetDouble(),
            json.GetProperty("hyper")) is not { } course)
            return null;
        var expected = GoldenJson.Numbers(json.GetProperty("lr"));
        double[] actual = [.. Enumerable.Range(0, expected.Length).Select(k => course(k))];
        comparison.Numbers(expected, actual, "rate");
        return comparison.Finish();
    }

    private static Func<int, double>? CourseOf(string kind, double rate, JsonElement h)
    {
        double Number(string key, double otherwise) => h.TryGetProperty(key, out var v) ? v.GetDouble() : otherwise;
        long Whole(string key, long otherwise) => h.TryGetProperty(key, out var v) ? v.GetInt64() : otherwise;
        return kind switch
        {
            "constant" => k => rate * (k < Whole("total_iters", 5) ? Number("factor", 1.0 / 3) : 1),
            "step" => k => Optim.Schedule.Step(rate, k, Whole("step_size", 1), Number("gamma", 0.1)),
            "multistep" => k => Optim.Schedule.MultiStep(
                rate, k, [.. h.GetProperty("milestones").EnumerateArray().Select(m => m.GetInt32())],
                    Number("gamma", 0.1)),
            "exponential" => k => Optim.Schedule.Exponential(rate, k, Number("gamma", 0.1)),
            "cosine" => k => Optim.Schedule.CosineWave(rate, Number("eta_min", 0), k, Whole("T_max", 1)),
            "cosine_warm_restarts" => k =>
                Optim.Schedule.CosineRestarts(rate, Number("eta_min", 0), k, Whole("T_0", 1), Number("T_mult", 1)),
            "linear" => k => Optim.Schedule.Linear(
                rate, k, Whole("total_iters", 5), Number("start_factor", 1.0 / 3), Number("end_factor", 1)),
            "polynomial" => k => Optim.Schedule.Polynomial(rate, k, Whole("total_iters", 5), Number("power", 1)),
            "one_cycle" => k => Optim.Schedule.OneCycle(
                Number("max_lr", rate), k, Whole("total_steps", 1), Number("pct_start", 0.3), Number("div_factor", 25),
                Number("final_div_factor", 1e4),
                h.TryGetProperty("anneal_strategy", out var shape) && shape.GetString() == "linear",
                h.TryGetProperty("three_phase", out var three) && three.GetBoolean()),
            _ => null,
        };
    }
}
