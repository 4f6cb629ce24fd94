using System.Globalization;
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

    [GeneratedRegex(@"\w+=\(?([\d., e-]+)")]
    private static partial Regex NumbersOf();

    /// <summary>The layers of a printed model, or null when one is not known.</summary>
    public static GoldenModel? Read(string printed)
    {
        var layers = new List<Layer>();
        foreach (Match match in LayerPattern().Matches(printed))
        {
            if (LayerOf(match.Groups[1].Value, match.Groups[2].Value) is not { } layer) return null;
            layers.Add(layer);
        }

        return layers.Count == 0 ? null : new GoldenModel(layers);
    }

    private static Layer? LayerOf(string kind, string arguments)
    {
        // name=2, name=(2, 1), or the n-th of those without a name.
        double[] Numbers(string name)
        {
            var at = arguments.IndexOf(name + "=", StringComparison.Ordinal);
            if (at < 0) return [];
            var text = NumbersOf().Match(arguments, at).Groups[1].Value.Split(',', Clean);
            return [.. text.TakeWhile(t => double.TryParse(t, CultureInfo.InvariantCulture, out _))
                .Select(t => double.Parse(t, CultureInfo.InvariantCulture))];
        }

        double Number(string name, double otherwise) => Numbers(name) is [var first, ..] ? first : otherwise;
        int First(int n) => int.Parse(arguments.Split(',', Clean)[n], CultureInfo.InvariantCulture);
        Attributes Window(params ReadOnlySpan<string> names)
        {
            var window = Attributes.None;
            foreach (var name in names)
            {
                int[] numbers = [.. Numbers(name).Select(v => (int)v)];
                if (numbers.Length == 0) continue;
                var key = name switch { "kernel_size" => "kernel", "output_size" => "output", _ => name };
                window = numbers.Distinct().Count() == 1 ? window.With(key, numbers[0]) : window.With(key, numbers);
            }

            return window;
        }

        Layer Pool(Op op, string last) => (x, _) =>
            GoldenOps.Pool(op, [x], Window("kernel_size", "stride", "padding", last));
        Layer Normal(Op op, Attributes attributes) => (x, next) => x.Builder.Apply(
            op, attributes.With("epsilon", Number("eps", 1e-5)), [x, next(), next()])[0];
        var hasBias = !arguments.Contains("bias=False", StringComparison.Ordinal);
        return kind switch
        {
            "Linear" => (x, next) => x.Linear(next(), hasBias ? next() : null),
            "Conv2d" => (x, next) =>
            {
                Value[] operands = hasBias ? [x, next(), next()] : [x, next()];
                return GoldenOps.Conv2d(operands, Window("stride", "padding", "dilation", "groups"));
            }
            ,
            "MaxPool2d" => Pool(OpTable.MaxPoolNd, "dilation"),
            "AvgPool2d" => Pool(OpTable.AvgPoolNd, "dilation"),
            "AdaptiveAvgPool2d" => (x, _) =>
                x.Builder.Apply(OpTable.AdaptiveAvgPool, Window("output_size"), [x])[0],
            "GroupNorm" => Normal(OpTable.GroupNorm, Attributes.Of("groups", First(0))),
            "LeakyReLU" => (x, _) => x.LeakyRelu(Number("negative_slope", 0.01)),
            "CELU" => (x, _) => x.Celu(Number("alpha", 1)),
            "SELU" => Plain(OpTable.Selu),
            "ReLU6" => Plain(OpTable.Relu6),
            "Hardswish" => Plain(OpTable.HardSwish),
            "Hardsigmoid" => Plain(OpTable.HardSigmoid),
            "Softsign" => Plain(OpTable.Softsign),
            "LogSigmoid" => Plain(OpTable.LogSigmoid),
            "Identity" => (x, _) => x,
            "LayerNorm" => Normal(OpTable.LayerNormAny, Attributes.Of("axes", NormalAxes(arguments))),
            "Flatten" => (x, _) => x.FlattenFrom1(),
            "ReLU" => (x, _) => x.Relu(),
            "Tanh" => (x, _) => x.Tanh(),
            "Sigmoid" => (x, _) => x.Sigmoid(),
            "SiLU" => (x, _) => x.Silu(),
            "Softplus" => (x, _) => x.Softplus(),
            "ELU" => (x, _) => x.Elu(Number("alpha", 1)),
            "Mish" => (x, _) => x.Mish(),
            "GELU" => (x, _) => arguments.Contains("tanh", StringComparison.Ordinal) ? x.GeluTanh() : x.Gelu(),
            _ => null,
        };
    }

    private const StringSplitOptions Clean = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    private static Layer Plain(Op op) => (x, _) => x.Builder.Apply(op, Attributes.None, [x])[0];

    // LayerNorm((3, 4), eps=..): the last two.
    private static int NormalAxes(string arguments) =>
        arguments[..arguments.IndexOf(')', StringComparison.Ordinal)].Split(',', Clean).Length;
}
