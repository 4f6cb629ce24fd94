using System.Text.RegularExpressions;
using Convoy.Autodiff.Ops;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>Models as the other library prints them: a list of layers, which take their parameters in order.</summary>
internal sealed partial class GoldenModel
{
    private readonly IReadOnlyList<Layer> _layers;

    private GoldenModel(IReadOnlyList<Layer> layers) => _layers = layers;

    /// <summary>The mean loss of rows x with targets y: classes (int32) or numbers.</summary>
    public Value Loss(Value x, Value y, Value[] p)
    {
        var at = 0;
        foreach (var layer in _layers) x = layer(x, () => p[at++]);
        return y.Type.DType == DType.Int32
            ? x.Builder.Apply(OpTable.CrossEntropyLoss, Attributes.None, [x, y])[0]
            : x.Builder.Apply(OpTable.MseLoss, Attributes.None, [x, y])[0];
    }

    private delegate Value Layer(Value x, Func<Value> parameter);

    [GeneratedRegex(@"\(\d+\): (\w+)\(((?:[^()]|\([^()]*\))*)\)")]
    private static partial Regex LayerPattern();

    /// <summary>The layers of a printed model; null, and the layer or setting that means nothing here, when one does
    /// not.</summary>
    public static GoldenModel? Read(string printed, out string stranger)
    {
        var layers = new List<Layer>();
        foreach (Match match in LayerPattern().Matches(printed))
        {
            var (kind, settings) = (match.Groups[1].Value, new GoldenSettings(match.Groups[2].Value));
            var layer = LayerOf(kind, settings);
            stranger = layer is null ? kind : settings.Stranger is { } setting ? $"{kind} {setting}" : "";
            if (stranger.Length > 0) return null;
            layers.Add(layer!);
        }

        stranger = layers.Count == 0 ? "a model without layers" : "";
        return layers.Count == 0 ? null : new GoldenModel(layers);
    }

    private static Layer? LayerOf(string kind, GoldenSettings s) => kind switch
    {
        "Linear" => Linear(s.Flag("bias")),
        "Conv1d" => Windowed(OpTable.Conv1d, s),
        "Conv2d" => Windowed(null, s),
        "Conv3d" => Windowed(OpTable.Conv3d, s),
        "ConvTranspose1d" => Windowed(OpTable.ConvTranspose1d, s),
        "ConvTranspose2d" => Windowed(OpTable.ConvTranspose2d, s),
        "ConvTranspose3d" => Windowed(OpTable.ConvTranspose3d, s),
        "MaxPool1d" or "MaxPool2d" or "MaxPool3d" => Pool(OpTable.MaxPoolNd, s),
        "AvgPool1d" or "AvgPool2d" or "AvgPool3d" => Pool(OpTable.AvgPoolNd, s),
        "AdaptiveAvgPool1d" or "AdaptiveAvgPool2d" or "AdaptiveAvgPool3d" => Adaptive(OpTable.AdaptiveAvgPool, s),
        "AdaptiveMaxPool1d" or "AdaptiveMaxPool2d" or "AdaptiveMaxPool3d" => Adaptive(OpTable.AdaptiveMaxPool, s),
        "GroupNorm" => Normal(OpTable.GroupNorm, Attributes.Of("groups", s.Place(0)), s, s.Flag("affine")),
        "InstanceNorm1d" or "InstanceNorm2d" or "InstanceNorm3d" =>
            Normal(OpTable.InstanceNorm, Attributes.None, s, s.Flag("affine")),
        "LayerNorm" => Normal(
            OpTable.LayerNormAny, Attributes.Of("axes", s.Places), s, s.Flag("elementwise_affine")),
        "Flatten" => (x, _) => x.FlattenFrom1(),
        "Identity" => (x, _) => x,
        _ => ActivationOf(kind, s),
    };

    private static Layer? ActivationOf(string kind, GoldenSettings s)
    {
        var (alpha, slope) = (s.Number("alpha", 1), s.Number("negative_slope", 0.01));
        return kind switch
        {
            "LeakyReLU" => (x, _) => x.LeakyRelu(slope),
            "CELU" => (x, _) => x.Celu(alpha),
            "ELU" => (x, _) => x.Elu(alpha),
            "Softplus" => Softplus(s.Number("beta", 1)),
            "Hardtanh" => Clamped(s.Number("min_val", -1), s.Number("max_val", 1)),
            "Softmax" => OverAxis((x, axis) => x.Softmax(axis), s),
            "LogSoftmax" => OverAxis((x, axis) => x.LogSoftmax(axis), s),
            "PReLU" when s.Number("num_parameters", 1) == 1 => (x, next) => x.Relu() - ((-x).Relu() * next()),
            "SELU" => Plain(OpTable.Selu),
            "ReLU6" => Plain(OpTable.Relu6),
            "Hardswish" => Plain(OpTable.HardSwish),
            "Hardsigmoid" => Plain(OpTable.HardSigmoid),
            "Softsign" => Plain(OpTable.Softsign),
            "LogSigmoid" => Plain(OpTable.LogSigmoid),
            "ReLU" => Plain(OpTable.Relu),
            "Tanh" => Plain(OpTable.Tanh),
            "Sigmoid" => Plain(OpTable.Sigmoid),
            "SiLU" => Plain(OpTable.Silu),
            "Mish" => Plain(OpTable.Mish),
            "GELU" => Plain(s.Text("approximate") == "'tanh'" ? OpTable.GeluTanh : OpTable.Gelu),
            _ => null,
        };
    }

    private static Layer Plain(Op op) => (x, _) => x.Builder.Apply(op, Attributes.None, [x])[0];

    private static Layer Softplus(double beta) => (x, _) => (x * beta).Softplus() / beta;

    private static Layer Clamped(double low, double high) => (x, _) => x.Clamp(low, high);

    private static Layer OverAxis(Func<Value, int, Value> function, GoldenSettings s)
    {
        var axis = (int)s.Number("dim", -1);
        return (x, _) => function(x, axis);
    }

    private static Layer Linear(bool hasBias) => (x, next) => x.Linear(next(), hasBias ? next() : null);

    // Without an operator: two dimensions, the fast kernel where it can.
    private static Layer Windowed(Op? op, GoldenSettings s)
    {
        var hasBias = s.Flag("bias");
        var window = s.Window("stride", "padding", "dilation", "groups", "output_padding");
        s.Window("kernel_size"); // the weight says so too
        return (x, next) =>
        {
            Value[] operands = hasBias ? [x, next(), next()] : [x, next()];
            return op is null ? GoldenOps.Conv2d(operands, window) : x.Builder.Apply(op, window, operands)[0];
        };
    }

    private static Layer Pool(Op op, GoldenSettings s)
    {
        var window = s.Window("kernel_size", "stride", "padding", "dilation");
        return (x, _) => GoldenOps.Pool(op, [x], window);
    }

    private static Layer Adaptive(Op op, GoldenSettings s)
    {
        var window = s.Window("output_size");
        return (x, _) => x.Builder.Apply(op, window, [x])[0];
    }

    private static Layer Normal(Op op, Attributes attributes, GoldenSettings s, bool hasGain)
    {
        var all = attributes.With("epsilon", s.Number("eps", 1e-5));
        return (x, next) => x.Builder.Apply(op, all, hasGain ? [x, next(), next()] : [x])[0];
    }
}
