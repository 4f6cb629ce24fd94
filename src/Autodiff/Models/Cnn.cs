using System.Globalization;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Models;

/// <summary>
/// The words of model.network, one after the other: <c>conv16</c> is a 3x3 convolution with padding 1 and 16 channels,
/// <c>pool</c> halves height and width by maxima, a number is a dense layer; the last one is the classes. With
/// model.norm, a convolution is normalized before its activation; what enters a dense layer is dropped out by
/// model.dropout.
/// </summary>
internal static class Cnn
{
    public static Graph Build(ModelSpec model, DataShape data)
    {
        var image = Image(model, data);
        var words = model.Network;
        if (words.Count == 0) throw ModelCatalog.Wrong("model.network is empty; such as [conv16, pool, 10]");
        var graph = new GraphBuilder();
        Value x = graph.Input("x", DType.Float32, [Dim.Batch, .. data.SampleShape.Select(d => new Dim(d))]);
        x = x.Reshape(Dim.Batch, image[0], image[1], image[2]);
        for (var i = 0; i < words.Count; i++) x = Word(graph, x, model, i);
        if (x.Type.Rank != 2) throw ModelCatalog.Wrong("model.network ends with a number, the classes");
        Mlp.CheckClasses(x.Type[1].Size, data.Classes, "model.network");
        graph.Classify(x);
        return graph.Build();
    }

    private static IReadOnlyList<int> Image(ModelSpec model, DataShape data)
    {
        var image = model.Image.Count > 0 ? model.Image
            : data.SampleShape.Count == 3 ? data.SampleShape
            : data.SampleShape.Count == 2 ? [1, .. data.SampleShape]
            : throw ModelCatalog.Wrong(
                "model.image is missing: channels, height, width of a sample, such as [1, 8, 8]");
        if (image.Count != 3 || image.Any(d => d < 1))
            throw ModelCatalog.Wrong("model.image is three sizes of at least 1: channels, height, width");
        if (image[0] * (long)image[1] * image[2] != data.Features)
        {
            throw ModelCatalog.Wrong(
                $"model.image {string.Join("x", image)} does not have the {data.Features} features of a sample ({data.Text})");
        }

        return image;
    }

    private static Value Word(GraphBuilder graph, Value x, ModelSpec model, int index)
    {
        var (words, activation, word) = (model.Network, model.Activation, model.Network[index]);
        if (word == "pool") return Pool(x, index);
        if (word.StartsWith("conv", StringComparison.Ordinal) && Number(word[4..]) is { } channels)
        {
            if (x.Type.Rank != 4) throw ModelCatalog.Wrong($"model.network: {word} comes after a dense layer");
            x = graph.Conv3x3($"conv{index + 1}", x, channels);
            return Layers.Activate(Normalize(graph, $"norm{index + 1}", x, model.Norm), activation);
        }

        if (Number(word) is not { } width)
            throw ModelCatalog.Wrong($"model.network: \"{word}\" is not convN, pool or a number of at least 1");
        if (x.Type.Rank == 4) x = x.FlattenFrom1();
        x = graph.Dense($"dense{index + 1}", graph.Dropout(x, model.Dropout), width);
        return index == words.Count - 1 ? x : Layers.Activate(x, activation);
    }

    private static Value Normalize(GraphBuilder graph, string name, Value x, string norm) => norm switch
    {
        "none" => x,
        "batch" => graph.BatchNorm(name, x),
        "layer" => graph.GroupNorm(name, x, 1),
        "group" => graph.GroupNorm(name, x, x.Type[1].Size / ChannelsOfGroup(x.Type[1].Size)),
        _ => throw ModelCatalog.Wrong($"model.norm \"{norm}\" is not none, batch, layer or group"),
    };

    // Eight, or the largest number up to that which divides them.
    private static int ChannelsOfGroup(int channels)
    {
        var size = Math.Min(channels, 8);
        while (channels % size != 0) size--;
        return size;
    }

    private static Value Pool(Value x, int index)
    {
        if (x.Type.Rank != 4) throw ModelCatalog.Wrong("model.network: pool comes after a dense layer");
        if (x.Type[2].Size < 2 || x.Type[3].Size < 2)
            throw ModelCatalog.Wrong(
                $"model.network: word {index + 1} pools an image of {x.Type[2]}x{x.Type[3]}, nothing is left");
        return x.MaxPool2d(2);
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0 ? n : null;
}
