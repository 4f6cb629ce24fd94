using System.Text.Json;
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

    [GeneratedRegex(@"\w+=\(?(\d+)")]
    private static partial Regex FirstNumber();

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
