using System.Text.Json;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>An optimizer of the other library: its rule here, and what stands around the rule.</summary>
/// <param name="Rule">With the settings.</param>
/// <param name="Rate">Of the first step.</param>
/// <param name="Slower">adagrad: step t has rate / (1 + (t - 1) slower).</param>
/// <param name="Start">adagrad: what the sums of squares begin with.</param>
/// <param name="Sign">-1 to climb.</param>
internal sealed record GoldenUpdate(UpdateRule Rule, double Rate, double Slower, double Start, double Sign)
{
    public RuleStep Step(int t) => new(t, Rate / (1 + ((t - 1) * Slower)), Sign);

    public Memory<double>[] StateOf(int length)
    {
        Memory<double>[] state = [.. Rule.StateNames.Select(_ => new Memory<double>(new double[length]))];
        if (Start != 0) state[0].Span.Fill(Start);
        return state;
    }

    /// <summary>By its name there; null when there is none here. Defaults are those of that library.</summary>
    public static GoldenUpdate? Of(string kind, JsonElement hyper)
    {
        if (!UpdateRule.Kinds.Contains(kind)) return null;
        double Number(string key, double otherwise) => hyper.TryGetProperty(key, out var v) ? v.GetDouble() : otherwise;
        bool Flag(string key) => hyper.TryGetProperty(key, out var v) && v.GetBoolean();
        double Beta(int i, double otherwise) => hyper.TryGetProperty("betas", out var v) ? v[i].GetDouble() : otherwise;
        var spec = new OptimizerSpec
        {
            Kind = kind,
            Lr = Number("lr",
                kind switch
                {
                    "nadam" => 2e-3,
                    "adamax" => 2e-3,
                    "adadelta" => 1,
                    "rmsprop" or "adagrad" => 0.01,
                    _ => 1e-3
                }),
            WeightDecay = Number("weight_decay", kind == "adamw" ? 0.01 : 0),
            Momentum = Number("momentum", 0),
            Nesterov = Flag("nesterov"),
            Dampening = Number("dampening", 0),
            MomentumDecay = Number("momentum_decay", 0.004),
            Amsgrad = Flag("amsgrad"),
            Centered = Flag("centered"),
            Beta1 = Beta(0, 0.9),
            Beta2 = Beta(1, kind == "lion" ? 0.99 : 0.999),
            Epsilon = Number("eps", kind switch { "adagrad" => 1e-10, "adadelta" => 1e-6, "lamb" => 1e-6, _ => 1e-8 }),
            Smoothing = kind == "adadelta" ? Number("rho", 0.9) : Number("alpha", 0.99),
        };
        return new GoldenUpdate(
            UpdateRule.Create(spec), spec.Lr, Number("lr_decay", 0), Number("initial_accumulator_value", 0),
            Flag("maximize") ? -1 : 1);
    }
}
