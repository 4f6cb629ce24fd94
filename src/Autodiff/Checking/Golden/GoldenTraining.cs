using System.Text.Json;
using System.Text.RegularExpressions;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>Optimizers on a stream of gradients, schedules, and whole trainings, in float64.</summary>
internal static partial class GoldenTraining
{
    public static GoldenCase? Optimizer(string file, string name, JsonElement document, JsonElement run)
    {
        if (RuleOf(run.GetProperty("optimizer").GetString()!, run.GetProperty("hyper")) is not { } made) return null;
        var comparison = new GoldenComparison(file, name);
        var w = GoldenJson.Numbers(document.GetProperty("p0"));
        var state = StateOf(made.Rule, w.Length);
        ParameterSpan[] whole = [new ParameterSpan(0, w.Length)];
        var t = 0;
        foreach (var expected in run.GetProperty("trajectory").EnumerateArray())
        {
            var gradient = GoldenJson.Numbers(document.GetProperty("grads")[t]);
            made.Rule.Apply<double>(w, gradient, state, new RuleStep(++t, made.Spec.Lr), whole);
            comparison.Numbers(GoldenJson.Numbers(expected), w, $"step {t}");
        }

        return comparison.Finish();
    }

    public static GoldenCase? Schedule(string file, string name, JsonElement json)
    {
        if (CourseOf(json.GetProperty("schedule").GetString()!, json.GetProperty("base_lr").GetDouble(),
            json.GetProperty("hyper")) is not { } course)
            return null;
        var comparison = new GoldenComparison(file, name);
        var expected = GoldenJson.Numbers(json.GetProperty("lr"));
        double[] actual = [.. Enumerable.Range(0, expected.Length).Select(k => course(k))];
        comparison.Numbers(expected, actual, "rate");
        return comparison.Finish();
    }

    public static GoldenCase? Trace(string file, string name, JsonElement json)
    {
        if (LayersOf(json.GetProperty("layers").GetString()!) is not { } layers) return null;
        if (RuleOf(json.GetProperty("optimizer").GetString()!.ToLowerInvariant(),
            json.GetProperty("hyper")) is not { } made) return null;
        var comparison = new GoldenComparison(file, name);
        Variable[] p = [.. json.GetProperty("params").EnumerateArray().Select(v => GoldenJson.VariableOf(v))];
        var x = GoldenJson.VariableOf(json.GetProperty("x"), free: false);
        var y = GoldenJson.VariableOf(json.GetProperty("y"), free: false);
        var states = p.Select(v => StateOf(made.Rule, (int)v.Data.Count)).ToArray();
        var t = 0;
        foreach (var expected in json.GetProperty("losses").EnumerateArray())
        {
            var loss = (Variable)Loss(layers, x, y, p);
            comparison.Numbers([expected.GetDouble()], [loss.Data.At()], $"loss {++t}");
            loss.Backward();
            for (var i = 0; i < p.Length; i++)
            {
                ParameterSpan[] whole = [new ParameterSpan(0, (int)p[i].Data.Count)];
                made.Rule.Apply<double>(
                    p[i].Data.Writable<double>(), p[i].Gradient!.ToArray<double>(), states[i],
                        new RuleStep(t, made.Spec.Lr), whole);
                p[i].ClearGradient();
            }
        }

        var final = json.GetProperty("final");
        for (var i = 0; i < p.Length; i++) comparison.Tensor(final[i], p[i].Data, $"final parameter {i}");
        return comparison.Finish();
    }

    private static Memory<double>[] StateOf(UpdateRule rule, int length) =>
        [.. rule.StateNames.Select(_ => new Memory<double>(new double[length]))];

    // Defaults are those of the library the figures come from.
    private static (UpdateRule Rule, OptimizerSpec Spec)? RuleOf(string kind, JsonElement hyper)
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
            Amsgrad = Flag("amsgrad"),
            Centered = Flag("centered"),
            Beta1 = Beta(0, 0.9),
            Beta2 = Beta(1, kind == "lion" ? 0.99 : 0.999),
            Epsilon = Number("eps", kind switch { "adagrad" => 1e-10, "adadelta" => 1e-6, "lamb" => 1e-6, _ => 1e-8 }),
            Smoothing = kind == "adadelta" ? Number("rho", 0.9) : Number("alpha", 0.99),
        };
        return (UpdateRule.Create(spec), spec);
    }

    private static Func<int, double>? CourseOf(string kind, double rate, JsonElement h)
    {
        double Number(string key, double otherwise) => h.TryGetProperty(key, out var v) ? v.GetDouble() : otherwise;
        long Whole(string key, long otherwise) => h.TryGetProperty(key, out var v) ? v.GetInt64() : otherwise;
        return kind switch
        {
            "constant" => k => rate,
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
                Number("final_div_factor", 1e4)),
            _ => null,
        };
    }

    private static Value Loss(IReadOnlyList<Layer> layers, Value x, Value y, Value[] p)
    {
        var at = 0;
        foreach (var layer in layers) x = layer(x, () => p[at++]);
        return y.Type.DType == Shared.Tensors.DType.Int32
            ? x.Builder.Apply(OpTable.CrossEntropyLoss, Attributes.None, [x, y])[0]
            : x.Builder.Apply(OpTable.MseLoss, Attributes.None, [x, y])[0];
    }

    private delegate Value Layer(Value x, Func<Value> parameter);

    [GeneratedRegex(@"\(\d+\): (\w+)\(((?:[^()]|\([^()]*\))*)\)")]
    private static partial Regex LayerPattern();

    [GeneratedRegex(@"\w+=\(?(\d+)")]
    private static partial Regex FirstNumber();

    /// <summary>The layers of a printed model, or null when one is not known.</summary>
    private static IReadOnlyList<Layer>? LayersOf(string printed)
    {
        var layers = new List<Layer>();
        foreach (Match match in LayerPattern().Matches(printed))
        {
            if (LayerOf(match.Groups[1].Value, match.Groups[2].Value) is not { } layer) return null;
            layers.Add(layer);
        }

        return layers.Count == 0 ? null : layers;
    }

    private static Layer? LayerOf(string kind, string arguments)
    {
        int Number(string name, int otherwise)
        {
            var at = arguments.IndexOf(name + "=", StringComparison.Ordinal);
            return at < 0 ? otherwise
                : int.Parse(FirstNumber().Match(arguments, at).Groups[1].Value,
                    System.Globalization.CultureInfo.InvariantCulture);
        }

        var hasBias = !arguments.Contains("bias=False", StringComparison.Ordinal);
        return kind switch
        {
            "Linear" => (x, next) => x.Linear(next(), hasBias ? next() : null),
            "Conv2d" => (x, next) => x.Conv2d(
                next(), hasBias ? next() : null, Number("stride", 1), Number("padding", 0), Number("dilation", 1),
                    Number("groups", 1)),
            "MaxPool2d" => (x, _) => x.MaxPool2d(Number("kernel_size", 2), Number("stride", 0), Number("padding", 0)),
            "AvgPool2d" => (x, _) => x.AvgPool2d(Number("kernel_size", 2), Number("stride", 0), Number("padding", 0)),
            "LayerNorm" => (x, next) => x.LayerNorm(next(), next()),
            "Flatten" => (x, _) => x.FlattenFrom1(),
            "ReLU" => (x, _) => x.Relu(),
            "Tanh" => (x, _) => x.Tanh(),
            "Sigmoid" => (x, _) => x.Sigmoid(),
            "SiLU" => (x, _) => x.Silu(),
            "Softplus" => (x, _) => x.Softplus(),
            "ELU" => (x, _) => x.Elu(),
            "Mish" => (x, _) => x.Mish(),
            "GELU" => (x, _) => arguments.Contains("tanh", StringComparison.Ordinal) ? x.GeluTanh() : x.Gelu(),
            _ => null,
        };
    }
}
