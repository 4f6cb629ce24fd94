using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Models;

/// <summary>What the families share: layers with their parameters, activations, the end of a classifier.</summary>
public static class Layers
{
    /// <summary>x wᵀ + b with parameters NAME.weight [width, fan in] and NAME.bias.</summary>
    public static Value Dense(
        this GraphBuilder graph, string name, Value x, int width, ParameterInit? init = null)
    {
        var fanIn = x.Type[-1].Size;
        var w = graph.Parameter($"{name}.weight", init ?? ParameterInit.Kaiming(fanIn), width, fanIn);
        return x.Linear(w, graph.Parameter($"{name}.bias", ParameterInit.Zeros, width));
    }

    public static Value Conv3x3(this GraphBuilder graph, string name, Value x, int channels)
    {
        var fanIn = x.Type[1].Size;
        var w = graph.Parameter($"{name}.weight", ParameterInit.Kaiming(fanIn * 9), channels, fanIn, 3, 3);
        return x.Conv2d(w, graph.Parameter($"{name}.bias", ParameterInit.Zeros, channels), padding: 1);
    }

    public static Value LayerNorm(this GraphBuilder graph, string name, Value x)
    {
        var width = x.Type[-1].Size;
        var gain = graph.Parameter($"{name}.weight", ParameterInit.Ones, width);
        return x.LayerNorm(gain, graph.Parameter($"{name}.bias", ParameterInit.Zeros, width));
    }

    public static Value Activate(Value x, string activation) => activation switch
    {
        "relu" => x.Relu(),
        "gelu" => x.Gelu(),
        "tanh" => x.Tanh(),
        _ => throw ModelCatalog.Wrong($"model.activation \"{activation}\" is not relu, gelu or tanh"),
    };

    /// <summary>The input "y" of classes and the outputs of a classifier: loss_sum, logits, correct.</summary>
    public static void Classify(this GraphBuilder graph, Value logits)
    {
        var y = graph.Input("y", DType.Int32, logits.Type.Dims.AsSpan()[..^1]);
        graph.Output("loss_sum", logits.CrossEntropy(y).Sum());
        graph.Output("logits", logits);
        graph.Output("correct", logits.Correct(y).Sum());
    }
}
