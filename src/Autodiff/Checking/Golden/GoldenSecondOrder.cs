using System.Text.Json;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>Values, gradients, Hessians and their products with vectors, of small functions by name.</summary>
internal static class GoldenSecondOrder
{
    private static readonly Dictionary<string, Func<Value, Value>> Known = new(StringComparer.Ordinal)
    {
        ["rosenbrock"] = x =>
        {
            var n = x.Type[0].Size;
            var valley = (x.Slice(0, 1, n - 1) - x.Slice(0, 0, n - 1).Square()).Square() * 100;
            return (valley + x.Slice(0, 0, n - 1).OneMinus().Square()).Sum();
        },
        ["softmax_ce"] = x => -x.LogSoftmax().Slice(0, 1, 1).Sum(),
        ["tanh_sq"] = x => x.Tanh().Square().Sum() * x.Product(),
        ["logsumexp"] = x => x.LogSumExp(),
        ["gelu_sum"] = x => x.Gelu().Sum().Square(),
        ["vector4"] = x =>
        {
            Value At(int i) => x.Slice(0, i, 1);
            return Functions.Concat(0, At(0) * At(1), At(1).Sin() * At(2), x.Exp().Sum([0], keep: true), At(2).Pow(3));
        },
    };

    public static GoldenCase? Run(GoldenComparison comparison, JsonElement json)
    {
        if (!Known.TryGetValue(comparison.Name, out var function)) return null;
        var x = GoldenJson.TensorOf(json.GetProperty("x"));
        Variable F(Variable v) => (Variable)function(v);
        Tensor Vector(string key) => GoldenJson.TensorOf(json.GetProperty(key));
        bool Has(string key) => json.TryGetProperty(key, out _);

        if (Has("value")) comparison.Numbers([json.GetProperty("value").GetDouble()], [F(new Variable(x)).Data.At()],
            "value");
        if (Has("grad")) comparison.Tensor(json.GetProperty("grad"), Derivatives.Gradient(F, x), "gradient");
        if (Has("hessian")) comparison.Tensor(json.GetProperty("hessian"), Derivatives.Hessian(F, x), "hessian");
        if (Has("hvp")) comparison.Tensor(json.GetProperty("hvp"), Derivatives.HessianVector(F, x, Vector("v")),
            "hessian times v");
        if (Has("jacobian"))
        {
            comparison.Tensor(json.GetProperty("jacobian"), Derivatives.Jacobian(F, x), "jacobian");
            comparison.Tensor(json.GetProperty("jacobian"), Derivatives.Jacobian(F, x, JacobianMode.Columns),
                "jacobian by columns");
        }

        if (Has("jvp")) comparison.Tensor(json.GetProperty("jvp"), Derivatives.Jvp(F, x, Vector("v")).Tangent, "jvp");
        if (Has("vjp")) comparison.Tensor(json.GetProperty("vjp"), Derivatives.Vjp(F, x, Vector("u")).Gradient, "vjp");
        return comparison.Finish();
    }
}
