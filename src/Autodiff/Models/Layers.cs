using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
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

    /// <summary>Convolution that keeps height and width: x_NCHW to y_NFHW, parameters NAME.weight [F, C, 3, 3] and
    /// NAME.bias [F].</summary>
    public static Value Conv3x3(this GraphBuilder graph, string name, Value x, int channels)
    {
        var fanIn = x.Type[1].Size;
        var w = graph.Parameter($"{name}.weight", ParameterInit.Kaiming(fanIn * 9), channels, fanIn, 3, 3);
        return x.Conv2d(w, graph.Parameter($"{name}.bias", ParameterInit.Zeros, channels), padding: 1);
    }

    /// <summary>Layer norm over the last dimension with parameters NAME.weight and NAME.bias, each as long as
    /// it.</summary>
    public static Value LayerNorm(this GraphBuilder graph, string name, Value x)
    {
        var width = x.Type[-1].Size;
        var gain = graph.Parameter($"{name}.weight", ParameterInit.Ones, width);
        return x.LayerNorm(gain, graph.Parameter($"{name}.bias", ParameterInit.Zeros, width));
    }

    /// <summary>
    /// Batch norm over each channel of x_NC.., by the samples of a slice in training, by running values afterwards.
    /// Parameters NAME.weight and NAME.bias; NAME.running_mean and NAME.running_var are no weights: after each step
    /// they follow the mean and the variance of all its samples by the share <paramref name="momentum"/>.
    /// Ioffe and Szegedy 2015; with slices as in Hoffer and others 2017.
    /// </summary>
    public static Value BatchNorm(this GraphBuilder graph, string name, Value x, double momentum = 0.1)
    {
        var (channels, elements) = (x.Type[1].Size, x.Type.Dims.Skip(2).Aggregate(1, (a, d) => checked(a * d.Size)));
        var gain = graph.Parameter($"{name}.weight", ParameterInit.Ones, channels);
        var bias = graph.Parameter($"{name}.bias", ParameterInit.Zeros, channels);
        var rule = Attributes.Of(RunningStatistics.MomentumAttribute, momentum)
            .With(RunningStatistics.ElementsAttribute, elements);
        var mean = graph.Parameter(
            $"{name}.{RunningStatistics.MeanSuffix}", ParameterInit.Zeros, DType.Float32, rule, channels);
        var variance = graph.Parameter($"{name}.{RunningStatistics.VarianceSuffix}", ParameterInit.Ones, channels);
        var y = graph.Apply(OpTable.BatchNorm, Attributes.None, [x, gain, bias, mean, variance]);
        var shift = y[1].Reshape(x.Type[0], channels) - mean;
        graph.Output(GradientGraph.StatisticPrefix + graph.NameOf(mean), shift.Sum([0]));
        graph.Output(
            GradientGraph.StatisticPrefix + graph.NameOf(variance),
            (y[2].Reshape(x.Type[0], channels) + shift.Square()).Sum([0]));
        return y[0];
    }

    /// <summary>
    /// Each group of channels of a sample x_NC.. brought to mean 0 and variance 1, then by channel NAME.weight and
    /// NAME.bias; one group is layer norm over the sample. The same in training and evaluation. Wu and He 2018.
    /// </summary>
    public static Value GroupNorm(this GraphBuilder graph, string name, Value x, int groups)
    {
        var channels = x.Type[1].Size;
        var gain = graph.Parameter($"{name}.weight", ParameterInit.Ones, channels);
        var bias = graph.Parameter($"{name}.bias", ParameterInit.Zeros, channels);
        return graph.Apply(OpTable.GroupNorm, Attributes.Of("groups", groups), [x, gain, bias])[0];
    }

    /// <summary>
    /// x with a share <paramref name="rate"/> of its elements at 0 and the others divided by 1 - rate, in training: a
    /// function of the job's seed, this place in the graph, the step, and the sample's position; x itself afterwards.
    /// Srivastava and others 2014.
    /// </summary>
    public static Value Dropout(this GraphBuilder graph, Value x, double rate) =>
        graph.Apply(OpTable.Dropout, Attributes.Of("rate", rate, "stream", graph.Count), [x])[0];

    /// <summary>The activation of a job file: relu, gelu or tanh.</summary>
    /// <exception cref="Shared.UserException">Any other name.</exception>
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
