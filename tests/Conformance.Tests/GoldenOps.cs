using System.Text.Json;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>The cases of golden/ops.json in terms of our functions, and which operator each of them is the reference of.</summary>
internal static class GoldenOps
{
    public delegate Value Function(Value[] x, JsonElement attributes);

    /// <summary>By the name in the file: our function, and the operator under test (null: a composition).</summary>
    public static readonly IReadOnlyDictionary<string, (Op? Op, Function Function)> All =
        new Dictionary<string, (Op?, Function)>(StringComparer.Ordinal)
        {
            ["neg"] = (OpTable.Negate, (x, _) => -x[0]),
            ["exp"] = (OpTable.Exp, (x, _) => x[0].Exp()),
            ["tanh"] = (OpTable.Tanh, (x, _) => x[0].Tanh()),
            ["sigmoid"] = (OpTable.Sigmoid, (x, _) => x[0].Sigmoid()),
            ["relu"] = (OpTable.Relu, (x, _) => x[0].Relu()),
            ["abs"] = (OpTable.Abs, (x, _) => x[0].Abs()),
            ["square"] = (OpTable.Square, (x, _) => x[0].Square()),
            ["softplus"] = (OpTable.Softplus, (x, _) => x[0].Softplus()),
            ["silu"] = (OpTable.Silu, (x, _) => x[0].Silu()),
            ["mish"] = (OpTable.Mish, (x, _) => x[0].Mish()),
            ["gelu"] = (OpTable.Gelu, (x, _) => x[0].Gelu()),
            ["gelu_tanh"] = (OpTable.GeluTanh, (x, _) => x[0].GeluTanh()),
            ["elu"] = (OpTable.Elu, (x, _) => x[0].Elu()),
            ["leaky_relu"] = (OpTable.LeakyRelu, (x, _) => x[0].LeakyRelu()),
            ["hard_sigmoid"] = (OpTable.HardSigmoid, (x, _) => x[0].HardSigmoid()),
            ["hard_swish"] = (OpTable.HardSwish, (x, _) => x[0].HardSwish()),
            ["one_minus"] = (OpTable.OneMinus, (x, _) => x[0].OneMinus()),
            ["log"] = (OpTable.Log, (x, _) => x[0].Log()),
            ["sqrt"] = (OpTable.Sqrt, (x, _) => x[0].Sqrt()),
            ["rsqrt"] = (null, (x, _) => 1 / x[0].Sqrt()),
            ["reciprocal"] = (null, (x, _) => 1 / x[0]),
            ["pow_scalar"] = (OpTable.PowScalar, (x, a) => x[0].Pow(a.GetProperty("exponent").GetDouble())),
            ["add"] = (OpTable.Add, (x, _) => x[0] + x[1]),
            ["subtract"] = (OpTable.Subtract, (x, _) => x[0] - x[1]),
            ["multiply"] = (OpTable.Multiply, (x, _) => x[0] * x[1]),
            ["divide"] = (OpTable.Divide, (x, _) => x[0] / x[1]),
            ["maximum"] = (OpTable.Maximum, (x, _) => x[0].Maximum(x[1])),
            ["minimum"] = (OpTable.Minimum, (x, _) => x[0].Minimum(x[1])),
            ["pow"] = (OpTable.Pow, (x, _) => x[0].Pow(x[1])),
            ["sum"] = (OpTable.Sum, (x, a) => x[0].Sum(Axes(a), Keep(a))),
            ["mean"] = (OpTable.Mean, (x, a) => x[0].Mean(Axes(a), Keep(a))),
            ["reduce_max"] = (OpTable.Max, (x, a) => x[0].Max(Axes(a), Keep(a))),
            ["reduce_min"] = (OpTable.Min, (x, a) => x[0].Min(Axes(a), Keep(a))),
            ["product"] = (OpTable.Product, (x, a) => x[0].Product([Int(a, "axis")])),
            ["norm2"] = (null, (x, a) => x[0].Square().Sum(Axes(a), Keep(a)).Sqrt()),
            ["variance"] = (null, (x, a) => (x[0] - x[0].Mean(Axes(a), true)).Square().Mean(Axes(a), Keep(a))),
            ["softmax"] = (OpTable.Softmax, (x, a) => x[0].Softmax(Int(a, "axis"))),
            ["log_softmax"] = (OpTable.LogSoftmax, (x, a) => x[0].LogSoftmax(Int(a, "axis"))),
            ["einsum"] = (OpTable.Einsum, (x, a) => Functions.Einsum(a.GetProperty("spec").GetString()!, x)),
            ["trace"] = (OpTable.Diagonal, (x, _) => Functions.Einsum("ii->", x)),
            ["frobenius_norm"] = (null, (x, _) => x[0].Square().Sum().Sqrt()),
            ["matmul"] = (OpTable.MatMul, (x, _) => x[0].MatMul(x[1])),
            ["linear"] = (OpTable.Linear, (x, _) => x[0].Linear(x[1], x[2])),
            ["conv2d"] = (OpTable.Conv2d, Conv2d),
            ["max_pool2d"] = (OpTable.MaxPool2d, (x, a) => x[0].MaxPool2d(Int(a, "kernel"), Int(a, "stride"))),
            ["avg_pool2d"] = (OpTable.AvgPool2d,
                (x, a) => x[0].AvgPool2d(Int(a, "kernel"), Int(a, "stride"), Int(a, "padding"))),
            ["layer_norm"] = (OpTable.LayerNorm, (x, a) => x[0].LayerNorm(x[1], x[2], a.GetProperty("eps").GetDouble())),
            ["embedding"] = (OpTable.Embedding, (x, _) => x[0].Embedding(x[1])),
            ["cross_entropy"] = (OpTable.CrossEntropy, (x, _) => x[0].CrossEntropy(x[1]).Mean()),
            ["mse_loss"] = (null, (x, _) => x[0].SquaredError(x[1]).Mean()),
            ["l1_loss"] = (null, (x, _) => (x[0] - x[1]).Abs().Mean()),
            ["concat"] = (OpTable.Concat, (x, a) => Functions.Concat(Int(a, "axis"), x)),
            ["slice"] = (OpTable.Slice, Slice),
            ["transpose"] = (OpTable.Transpose, (x, a) => x[0].Transpose(List(a, "perm"))),
            ["reshape"] = (OpTable.Reshape, (x, a) => x[0].Reshape(Dims(a))),
            ["broadcast_to"] = (OpTable.BroadcastTo, (x, a) => x[0].BroadcastTo(Dims(a))),
            ["squeeze"] = (null, (x, _) => x[0].Reshape([.. x[0].Type.Dims.Where(d => d.Size != 1)])),
            ["attention"] = (OpTable.Attention, Attention),
        };

    private static Value Conv2d(Value[] x, JsonElement a) => x[0].Conv2d(
        x[1], x[2], Int(a, "stride", 1), Int(a, "padding"), Int(a, "dilation", 1), Int(a, "groups", 1));

    private static Value Slice(Value[] x, JsonElement a)
    {
        var (start, stop, step) = (Int(a, "start"), Int(a, "stop"), Int(a, "step", 1));
        return x[0].Slice(Int(a, "axis"), start, (stop - start + step - 1) / step, step);
    }

    // The file has q, k, v as [B, H, T, d]; the operator takes the columns of one projection.
    private static Value Attention(Value[] x, JsonElement a)
    {
        var (b, h, t, d) = (x[0].Type[0], x[0].Type[1], x[0].Type[2], x[0].Type[3]);
        var width = h.Size * d.Size;
        Value[] columns = [.. x.Select(v => v.Transpose(0, 2, 1, 3).Reshape(b, t, width))];
        var y = Functions.Concat(2, columns).Attention(h.Size, a.GetProperty("causal").GetBoolean());
        return y.Reshape(b, t, h, d).Transpose(0, 2, 1, 3);
    }

    private static int Int(JsonElement a, string name, int otherwise = 0) =>
        a.TryGetProperty(name, out var value) ? value.GetInt32() : otherwise;

    private static int[] List(JsonElement a, string name) => [.. a.GetProperty(name).EnumerateArray().Select(v => v.GetInt32())];

    private static int[] Axes(JsonElement a) => List(a, "axes");

    private static bool Keep(JsonElement a) => a.GetProperty("keepdims").GetBoolean();

    private static Dim[] Dims(JsonElement a) => [.. List(a, "shape").Select(d => new Dim(d))];
}
