using System.Text.Json;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>
/// The names and attributes of reference files in terms of our functions. Values come first, then indices and masks;
/// <c>stride</c>, <c>padding</c> and their like are one number or one for each dimension.
/// </summary>
internal static class GoldenOps
{
    public delegate Value Function(Value[] x, JsonElement attributes);

    public static Function? Find(string name) =>
        All.GetValueOrDefault(name) ?? (Plain.GetValueOrDefault(name) is { } op ? (x, _) =>
            Applied(op, x, Attributes.None) : null);

    // By the name in the files: an operator without attributes.
    private static readonly Dictionary<string, Op> Plain = new(StringComparer.Ordinal)
    {
        ["neg"] = OpTable.Negate, ["exp"] = OpTable.Exp, ["sin"] = OpTable.Sin, ["cos"] = OpTable.Cos,
        ["tanh"] = OpTable.Tanh, ["sigmoid"] = OpTable.Sigmoid, ["relu"] = OpTable.Relu, ["abs"] = OpTable.Abs,
        ["square"] = OpTable.Square, ["softplus"] = OpTable.Softplus, ["silu"] = OpTable.Silu, ["mish"] = OpTable.Mish,
        ["gelu"] = OpTable.Gelu, ["gelu_tanh"] = OpTable.GeluTanh, ["selu"] = OpTable.Selu,
        ["hard_sigmoid"] = OpTable.HardSigmoid, ["hard_swish"] = OpTable.HardSwish, ["hard_tanh"] = OpTable.HardTanh,
        ["softsign"] = OpTable.Softsign, ["log_sigmoid"] = OpTable.LogSigmoid, ["erf"] = OpTable.Erf,
        ["expm1"] = OpTable.Expm1, ["atan"] = OpTable.Atan, ["sinh"] = OpTable.Sinh, ["cosh"] = OpTable.Cosh,
        ["asinh"] = OpTable.Asinh, ["acosh"] = OpTable.Acosh, ["relu6"] = OpTable.Relu6,
        ["one_minus"] = OpTable.OneMinus,
        ["log"] = OpTable.Log, ["log1p"] = OpTable.Log1p, ["sqrt"] = OpTable.Sqrt, ["rsqrt"] = OpTable.Rsqrt,
        ["reciprocal"] = OpTable.Reciprocal, ["log2"] = OpTable.Log2, ["lgamma"] = OpTable.Lgamma,
        ["cbrt"] = OpTable.Cbrt,
        ["asin"] = OpTable.Asin, ["acos"] = OpTable.Acos, ["atanh"] = OpTable.Atanh, ["sign"] = OpTable.Sign,
        ["floor"] = OpTable.Floor, ["ceil"] = OpTable.Ceil, ["round"] = OpTable.Round,
        ["add"] = OpTable.Add, ["subtract"] = OpTable.Subtract, ["multiply"] = OpTable.Multiply,
        ["divide"] = OpTable.Divide,
        ["maximum"] = OpTable.Maximum, ["minimum"] = OpTable.Minimum, ["pow"] = OpTable.Pow, ["atan2"] = OpTable.Atan2,
        ["hypot"] = OpTable.Hypot, ["logaddexp"] = OpTable.LogAddExp, ["or_prob_sum"] = OpTable.OrProbSum,
        ["or_max"] = OpTable.OrMax, ["nand"] = OpTable.Nand, ["nor"] = OpTable.Nor, ["xor"] = OpTable.Xor,
        ["implies"] = OpTable.Implies, ["linear"] = OpTable.Linear, ["embedding"] = OpTable.Embedding,
        ["inverse"] = OpTable.Inverse, ["determinant"] = OpTable.Determinant, ["logdet"] = OpTable.LogDet,
        ["trace"] = OpTable.Trace, ["cholesky"] = OpTable.Cholesky, ["matrix_exp"] = OpTable.MatrixExp,
        ["frobenius_norm"] = OpTable.FrobeniusNorm, ["nuclear_norm"] = OpTable.NuclearNorm, ["kron"] = OpTable.Kron,
        ["diag"] = OpTable.Diag,
    };

    private static readonly Dictionary<string, Function> All = new(StringComparer.Ordinal)
    {
        // The figures under this name are those of tan(x / 2), value and gradient.
        ["tan"] = (x, _) => (x[0] * 0.5).Tan(),
        ["elu"] = (x, a) => x[0].Elu(Number(a, "alpha", 1)),
        ["celu"] = (x, a) => x[0].Celu(Number(a, "alpha", 1)),
        ["leaky_relu"] = (x, a) => x[0].LeakyRelu(Number(a, "negative_slope", Number(a, "slope", 0.01))),
        ["pow_scalar"] = (x, a) => x[0].Pow(Number(a, "exponent", 1)),
        ["clamp"] = (x, a) =>
            x[0].Clamp(Number(a, "min", double.NegativeInfinity), Number(a, "max", double.PositiveInfinity)),
        ["where"] = (x, _) => x[2].Where(x[0], x[1]),
        ["masked_fill"] = (x, a) => x[0].MaskedFill(x[1], Number(a, "value", 0)),
        ["sum"] = (x, a) => x[0].Sum(Axes(a), Keep(a)),
        ["mean"] = (x, a) => x[0].Mean(Axes(a), Keep(a)),
        ["reduce_max"] = (x, a) => x[0].Max(Axes(a), Keep(a)),
        ["reduce_min"] = (x, a) => x[0].Min(Axes(a), Keep(a)),
        ["logsumexp"] = (x, a) => x[0].LogSumExp(Axes(a), Keep(a)),
        ["norm2"] = (x, a) => x[0].Norm(Axes(a), Keep(a)),
        ["variance"] = (x, a) => x[0].Variance(Axes(a), Keep(a), Flag(a, "unbiased", true)),
        ["std"] = (x, a) => x[0].Std(Axes(a), Keep(a), Flag(a, "unbiased", true)),
        ["product"] = (x, a) => x[0].Product(Axes(a), Keep(a)),
        ["cumsum"] = (x, a) => x[0].CumSum(Int(a, "axis")),
        ["cumprod"] = (x, a) => x[0].CumProd(Int(a, "axis")),
        ["softmax"] = (x, a) => x[0].Softmax(Int(a, "axis", -1)),
        ["log_softmax"] = (x, a) => x[0].LogSoftmax(Int(a, "axis", -1)),
        ["sort"] = (x, a) => x[0].Sort(Int(a, "axis", -1), Flag(a, "descending", false)).Values,
        ["topk_values"] = (x, a) => x[0].TopK(Int(a, "axis", -1), Int(a, "k"), !Flag(a, "largest", true)).Values,
        ["flip"] = (x, a) => x[0].Flip(Int(a, "axis")),
        ["einsum"] = (x, a) => Functions.Einsum(a.GetProperty("spec").GetString()!, x),
        ["matmul"] = (x, _) => x[0].MatMul(x[1]),
        ["conv1d"] = (x, a) => Applied(OpTable.Conv1d, x, Window(a)),
        ["conv2d"] = Conv2d,
        ["conv3d"] = (x, a) => Applied(OpTable.Conv3d, x, Window(a)),
        ["conv_transpose1d"] = (x, a) => Applied(OpTable.ConvTranspose1d, x, Window(a)),
        ["conv_transpose2d"] = (x, a) => Applied(OpTable.ConvTranspose2d, x, Window(a)),
        ["conv_transpose3d"] = (x, a) => Applied(OpTable.ConvTranspose3d, x, Window(a)),
        ["max_pool1d"] = Pool(OpTable.MaxPoolNd), ["max_pool2d"] = Pool(OpTable.MaxPoolNd),
        ["max_pool3d"] = Pool(OpTable.MaxPoolNd),
        ["avg_pool1d"] = Pool(OpTable.AvgPoolNd), ["avg_pool2d"] = Pool(OpTable.AvgPoolNd),
        ["avg_pool3d"] = Pool(OpTable.AvgPoolNd),
        ["adaptive_avg_pool2d"] = (x, a) => Applied(OpTable.AdaptiveAvgPool, x, Copied(a, "output")),
        ["adaptive_max_pool2d"] = (x, a) => Applied(OpTable.AdaptiveMaxPool, x, Copied(a, "output")),
        ["interpolate_nearest2x"] = (x, _) => Applied(
            OpTable.Interpolate, x, Attributes.Of("output", x[0].Type.Dims.Skip(2).Select(d => 2 * d.Size).ToArray())),
        ["layer_norm"] = (x, a) => Applied(OpTable.LayerNormAny, x, Epsilon(a, 1e-5).With("axes", Int(a, "axes", 1))),
        ["rms_norm"] = (x, a) => Applied(OpTable.RmsNorm, x, Epsilon(a, 1e-6)),
        ["group_norm"] = (x, a) => Applied(OpTable.GroupNorm, x, Epsilon(a, 1e-5).With("groups", Int(a, "groups", 1))),
        ["instance_norm"] = (x, a) => Applied(OpTable.InstanceNorm, x, Epsilon(a, 1e-5)),
        ["batch_norm_train"] = (x, a) => Applied(OpTable.BatchNorm, x, Epsilon(a, 1e-5)),
        ["gather"] = (x, a) => Reached(x[0], Int(a, "axis"), x[1]).Gather(Int(a, "axis"), x[1]),
        ["scatter_add"] = (x, a) => ScatterAdd(x[0], Int(a, "axis"), x[2], x[1]),
        ["index_select"] = (x, a) => x[0].IndexSelect(Int(a, "axis"), x[1]),
        ["cross_entropy"] = (x, a) => OfClasses(OpTable.CrossEntropyLoss, x, a),
        ["nll_loss"] = (x, a) => OfClasses(OpTable.NllLoss, x, a),
        ["mse_loss"] = (x, a) => Applied(OpTable.MseLoss, x, Reduction(a)),
        ["l1_loss"] = (x, a) => Applied(OpTable.L1Loss, x, Reduction(a)),
        ["huber_loss"] = (x, a) => Applied(OpTable.HuberLoss, x, Reduction(a).With("delta", Number(a, "delta", 1))),
        ["bce_with_logits"] = BceWithLogits,
        ["kl_div"] = (x, a) => Applied(OpTable.KlDiv, x, Attributes.Of("reduction", Text(a, "reduction", "batchmean"))),
        ["concat"] = (x, a) => Functions.Concat(Int(a, "axis"), x),
        ["stack"] = (x, a) => Functions.Stack(Int(a, "axis"), x),
        ["slice"] = Slice,
        ["pad"] = (x, a) => x[0].Pad(Int(a, "axis"), Int(a, "before"), Int(a, "after"), Number(a, "value", 0)),
        ["transpose"] = (x, a) => x[0].Transpose(List(a, "perm")),
        ["permute"] = (x, a) => x[0].Transpose(List(a, "perm")),
        ["reshape"] = (x, a) => x[0].Reshape(Dims(a, (dims, _) =>
            dims.Contains(0) ? 0 : (int)(x[0].Type.CountAt(1) / Math.Abs(dims.Aggregate(1L, (n, d) => n * d))))),
        ["broadcast_to"] = (x, a) => x[0].BroadcastTo(Dims(a, (dims, i) =>
            x[0].Type[i - dims.Length + x[0].Type.Rank].Size)),
        ["squeeze"] = (x, a) => a.TryGetProperty("axis", out _) ? x[0].Squeeze(Int(a, "axis"))
            : x[0].Reshape([.. x[0].Type.Dims.Where(d => d.Size != 1)]),
        ["unsqueeze"] = (x, a) => x[0].Unsqueeze(Int(a, "axis")),
        ["roll"] = (x, a) => x[0].Roll(Int(a, "axis"), Int(a, "shift")),
        ["tile"] = (x, a) => x[0].Tile(List(a, "repeats")),
        ["tril"] = (x, a) => x[0].Tril(Int(a, "k")),
        ["triu"] = (x, a) => x[0].Triu(Int(a, "k")),
        ["attention"] = (x, a) =>
            Applied(OpTable.ScaledDotProduct, x, Attributes.Of("causal", Flag(a, "causal", false))),
        ["solve"] = (x, _) => x[0].Solve(x[1]),
        ["svd_values"] = (x, _) => x[0].Svd().S,
        ["eigh_values"] = (x, _) => x[0].Eigh().Values,
    };

    private static Value Applied(Op op, Value[] x, Attributes attributes) => x[0].Builder.Apply(op, attributes, x)[0];

    private static Value Conv2d(Value[] x, JsonElement a) => Conv2d(x, Window(a));

    /// <summary>Square windows go to the fast kernel, so that it is the one that is measured.</summary>
    public static Value Conv2d(Value[] x, Attributes attributes)
    {
        string[] names = ["stride", "padding", "dilation"];
        if (names.Any(n => attributes.Ints(n).Distinct().Count() > 1)) return Applied(OpTable.Conv2dAny, x, attributes);
        foreach (var name in names)
            if (attributes.Ints(name).Length > 0) attributes = attributes.With(name, attributes.Ints(name)[0]);
        return Applied(OpTable.Conv2d, x, attributes);
    }

    private static Function Pool(Op any) => (x, a) => Pool(any, x, Window(a));

    /// <summary>As <see cref="Conv2d(Value[], Attributes)"/>.</summary>
    public static Value Pool(Op any, Value[] x, Attributes attributes)
    {
        var square = any == OpTable.MaxPoolNd ? OpTable.MaxPool2d : OpTable.AvgPool2d;
        var isSquare = x[0].Type.Rank == 4
            && attributes.Entries.All(e => e.Value is not System.Collections.Immutable.ImmutableArray<int>)
            && attributes.Int("dilation", 1) == 1;
        return isSquare ? Applied(square, x, attributes.Without("dilation")) : Applied(any, x, attributes);
    }

    // There an index may have less than x on the other axes too: the part of x that it reaches.
    private static Value Reached(Value x, int axis, Value index)
    {
        axis = Ops.Axes.One(axis, x.Type, "gather");
        for (var i = 0; i < x.Type.Rank; i++)
            if (i != axis && index.Type[i].Size < x.Type[i].Size) x = x.Slice(i, 0, index.Type[i].Size);
        return x;
    }

    private static Value ScatterAdd(Value x, int axis, Value index, Value source)
    {
        axis = Ops.Axes.One(axis, x.Type, "scatter-add");
        for (var i = 0; i < x.Type.Rank; i++)
        {
            var (size, all) = (index.Type[i].Size, x.Type[i].Size);
            if (i == axis || size == all) continue;
            return Functions.Concat(
                i, ScatterAdd(x.Slice(i, 0, size), axis, index, source), x.Slice(i, size, all - size));
        }

        return x.ScatterAdd(axis, index, Reached(source, axis, index));
    }

    // Classes are on axis 1 there, here on the last.
    private static Value OfClasses(Op op, Value[] x, JsonElement a)
    {
        var rank = x[0].Type.Rank;
        var rows = rank > 2 ? x[0].Transpose([0, .. Enumerable.Range(2, rank - 2), 1]) : x[0];
        var attributes = Classes(a);
        return Applied(
            op, [rows, x[1]], op == OpTable.NllLoss ? attributes
                : attributes.With("smoothing", Number(a, "label_smoothing", 0)));
    }

    private static Value BceWithLogits(Value[] x, JsonElement a)
    {
        Value target = a.TryGetProperty("target", out var json) ? new Tape.Variable(GoldenJson.TensorOf(json)) : x[1];
        return Applied(OpTable.BceWithLogits, [x[0], target], Reduction(a));
    }

    private static Value Slice(Value[] x, JsonElement a)
    {
        var axis = Int(a, "axis");
        var size = x[0].Type[axis].Size;
        var (start, stop, step) = (Int(a, "start"), Int(a, "stop", size), Int(a, "step", 1));
        if (start < 0) start += size;
        if (stop < 0) stop += size;
        stop = Math.Min(stop, size);
        return x[0].Slice(axis, start, Math.Max(0, stop - start + step - 1) / step, step);
    }

    private static Attributes Window(JsonElement a) =>
        Copied(a, "kernel", "stride", "padding", "dilation", "groups", "output_padding");

    private static Attributes Copied(JsonElement a, params ReadOnlySpan<string> names)
    {
        var attributes = Attributes.None;
        foreach (var name in names)
        {
            if (!a.TryGetProperty(name, out var value)) continue;
            attributes =
                attributes.With(name, value.ValueKind == JsonValueKind.Array ? List(a, name) : value.GetInt32());
        }

        return attributes;
    }

    private static Attributes Epsilon(JsonElement a, double otherwise) =>
        Attributes.Of("epsilon", Number(a, "eps", otherwise));

    private static Attributes Reduction(JsonElement a) => Attributes.Of("reduction", Text(a, "reduction", "mean"));

    private static Attributes Classes(JsonElement a)
    {
        var attributes = Reduction(a);
        return a.TryGetProperty("ignore_index", out var ignore) ? attributes.With("ignore", ignore.GetInt32())
            : attributes;
    }

    private static int Int(JsonElement a, string name, int otherwise = 0) =>
        a.TryGetProperty(name, out var value) ? value.GetInt32() : otherwise;

    private static double Number(JsonElement a, string name, double otherwise) =>
        a.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble()
            : otherwise;

    private static bool Flag(JsonElement a, string name, bool otherwise) =>
        a.TryGetProperty(name, out var value) ? value.GetBoolean() : otherwise;

    private static string Text(JsonElement a, string name, string otherwise) =>
        a.TryGetProperty(name, out var value) ? value.GetString()! : otherwise;

    private static int[] List(JsonElement a, string name) =>
        [.. a.GetProperty(name).EnumerateArray().Select(v => v.GetInt32())];

    private static int[] Axes(JsonElement a)
    {
        if (a.TryGetProperty("axis", out var axis)) return [axis.GetInt32()];
        if (!a.TryGetProperty("axes", out var axes)) return [];
        return axes.ValueKind == JsonValueKind.Array ? List(a, "axes") : [axes.GetInt32()];
    }

    private static bool Keep(JsonElement a) => Flag(a, "keepdims", false);

    // -1 stands for the size that follows from x.
    private static Dim[] Dims(JsonElement a, Func<int[], int, int> follows)
    {
        var dims = List(a, "shape");
        return [.. dims.Select((d, i) => new Dim(d == -1 ? follows(dims, i) : d))];
    }
}
