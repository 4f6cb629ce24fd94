using System.Text.Json;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Conformance.Tests;

/// <summary>TEST-02, OPTIM-01, OPTIM-04: operators, derivatives of second order, optimizers, schedules and whole trainings against reference figures.</summary>
public sealed class GoldenTests
{
    public static TheoryData<int, string> OpCases()
    {
        var data = new TheoryData<int, string>();
        var cases = Golden.Read("ops.json");
        for (var i = 0; i < cases.GetArrayLength(); i++)
            data.Add(i, $"{cases[i].GetProperty("op")} {cases[i].GetProperty("attrs")}");
        return data;
    }

    [Theory]
    [MemberData(nameof(OpCases))]
    public void Operator(int index, string name)
    {
        var json = Golden.Read("ops.json")[index];
        Variable[] inputs =
        [
            .. json.GetProperty("inputs").EnumerateArray().Select(i => Golden.VariableOf(i)),
            .. json.GetProperty("int_inputs").EnumerateArray().Select(i => Golden.VariableOf(i)),
        ];
        var function = GoldenOps.All[json.GetProperty("op").GetString()!].Function;
        var output = (Variable)function(inputs, json.GetProperty("attrs"));
        Golden.Close(json.GetProperty("output"), output.Data, name);

        output.Backward(Golden.TensorOf(json.GetProperty("cotangent")));
        var gradients = json.GetProperty("grads");
        for (var i = 0; i < gradients.GetArrayLength(); i++)
        {
            if (gradients[i].ValueKind == JsonValueKind.Null) continue;
            Assert.NotNull(inputs[i].Gradient);
            // The figures of this one gradient have 1/6 rounded to float32: they agree to 3e-8, not to 1e-9.
            var relative = json.GetProperty("op").GetString() == "hard_sigmoid" ? 1e-7 : Golden.Relative;
            Golden.Close(gradients[i], inputs[i].Gradient!, $"{name}, gradient {i}", relative);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void SecondOrder(int index)
    {
        var json = Golden.Read("second_order.json")[index];
        var name = json.GetProperty("f").GetString()!;
        var x = Golden.VariableOf(json.GetProperty("x"));
        var y = (Variable)Scalar(name, x);
        Golden.Close([json.GetProperty("value").GetDouble()], [y.Data.At()], name);
        var gradient = Differentiate.Gradient([y], [x], createGraph: true)[0];
        Golden.Close(json.GetProperty("grad"), gradient.Data, $"{name}: gradient");

        var v = Golden.VariableOf(json.GetProperty("v"), requiresGradient: false);
        var product = Differentiate.Gradient([gradient], [x], [v])[0];
        Golden.Close(json.GetProperty("hvp"), product.Data, $"{name}: Hessian times vector");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void OptimizerTrajectory(int index)
    {
        var json = Golden.Read("optimizers.json");
        var run = json.GetProperty("runs")[index];
        var w = Golden.TensorOf(json.GetProperty("p0")).ToArray<double>();
        var rule = new Rule(run.GetProperty("optimizer").GetString()!, run.GetProperty("hyper"), w.Length);
        var t = 0;
        foreach (var gradient in json.GetProperty("grads").EnumerateArray())
        {
            rule.Apply(w, [.. gradient.EnumerateArray().Select(g => g.GetDouble())], ++t);
            double[] expected = [.. run.GetProperty("trajectory")[t - 1].EnumerateArray().Select(p => p.GetDouble())];
            Golden.Close(expected, w, $"{rule.Name} step {t}");
        }
    }

    [Fact]
    public void CosineSchedule()
    {
        var json = Golden.Read("schedules.json")[0];
        var hyper = json.GetProperty("hyper");
        var (length, lowest) = (hyper.GetProperty("T_max").GetInt64(), hyper.GetProperty("eta_min").GetDouble());
        for (var k = 0; k <= length; k++)
        {
            var rate = Schedule.Cosine(json.GetProperty("base_lr").GetDouble(), lowest, k, length);
            Golden.Close([json.GetProperty("lr")[k].GetDouble()], [rate], $"rate {k}");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TrainingTrace(int index)
    {
        var json = Golden.Read("traces.json")[index];
        var name = json.GetProperty("trace").GetString()!;
        Variable[] p = [.. json.GetProperty("params").EnumerateArray().Select(v => Golden.VariableOf(v))];
        var x = Golden.VariableOf(json.GetProperty("x"), requiresGradient: false);
        var y = Golden.VariableOf(json.GetProperty("y"), requiresGradient: false);
        var kind = json.GetProperty("optimizer").GetString()!.ToLowerInvariant();
        Rule[] rules = [.. p.Select(v => new Rule(kind, json.GetProperty("hyper"), (int)v.Data.Count))];
        var t = 0;
        foreach (var expected in json.GetProperty("losses").EnumerateArray())
        {
            t++;
            var loss = (Variable)Model(name, x, y, p);
            Golden.Close([expected.GetDouble()], [loss.Data.At()], $"{name}: loss {t}");
            loss.Backward();
            for (var i = 0; i < p.Length; i++)
            {
                rules[i].Apply(p[i].Data.Writable<double>(), p[i].Gradient!.ToArray<double>(), t);
                p[i].ClearGradient();
            }
        }

        var final = json.GetProperty("final");
        for (var i = 0; i < p.Length; i++) Golden.Close(final[i], p[i].Data, $"{name}: final {i}");
    }

    private static Value Scalar(string name, Value x)
    {
        var n = x.Type[0].Size;
        return name switch
        {
            "rosenbrock" => ((x.Slice(0, 1, n - 1) - x.Slice(0, 0, n - 1).Square()).Square() * 100
                + x.Slice(0, 0, n - 1).OneMinus().Square()).Sum(),
            "softmax_ce" => -x.LogSoftmax().Slice(0, 1, 1).Sum(),
            "tanh_sq" => x.Tanh().Square().Sum() * x.Product(),
            "logsumexp" => x.Exp().Sum().Log(),
            "gelu_sum" => x.Gelu().Sum().Square(),
            _ => throw new ArgumentException(name),
        };
    }

    private static Value Model(string name, Value x, Value y, Value[] p) => name switch
    {
        "mlp_ce_sgd" => x.Linear(p[0], p[1]).Tanh().Linear(p[2], p[3]).CrossEntropy(y).Mean(),
        "mlp_mse_adam" => x.Linear(p[0], p[1]).Relu().Linear(p[2], p[3]).Gelu().Linear(p[4], p[5]).SquaredError(y).Mean(),
        "cnn_ce_adamw" => x.Conv2d(p[0], p[1], padding: 1).Relu().MaxPool2d(2).FlattenFrom1().Linear(p[2], p[3])
            .CrossEntropy(y).Mean(),
        "mlp_layernorm_sgd" => x.Linear(p[0], p[1]).LayerNorm(p[2], p[3]).Silu().Linear(p[4], p[5]).SquaredError(y).Mean(),
        _ => throw new ArgumentException(name),
    };

    /// <summary>An update rule in float64 with its state, hyperparameters by their names in the files.</summary>
    private sealed class Rule(string name, JsonElement hyper, int length)
    {
        private readonly double[] _m = new double[length];
        private readonly double[] _v = new double[length];

        public string Name => name;

        public void Apply(Span<double> w, double[] gradient, int step)
        {
            var (rate, momentum) = (Number("lr", 0), Number("momentum", 0));
            var decay = Number("weight_decay", name == "adamw" ? 0.01 : 0);
            if (name == "sgd") Optimizers.Sgd(w, gradient, _m, new SgdStep(rate, momentum, decay));
            else if (name == "adam") Optimizers.Adam(w, gradient, _m, _v, new AdamStep(rate, 0.9, 0.999, 1e-8, decay, step));
            else Optimizers.AdamW(w, gradient, _m, _v, new AdamStep(rate, 0.9, 0.999, 1e-8, decay, step));
        }

        private double Number(string key, double otherwise) =>
            hyper.TryGetProperty(key, out var value) ? value.GetDouble() : otherwise;
    }
}
