using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Models;

/// <summary>Dense layers of the widths in model.layers, an activation between them.</summary>
internal static class Mlp
{
    public static Graph Build(ModelSpec model, DataShape data)
    {
        var layers = model.Layers;
        if (layers.Count < 2) throw ModelCatalog.Wrong("model.layers needs at least an input and an output width");
        if (layers.Any(width => width < 1)) throw ModelCatalog.Wrong("model.layers holds widths of at least 1");
        if (layers[0] != data.Features)
        {
            throw ModelCatalog.Wrong(
                $"model.layers starts with {layers[0]}, but a sample has {data.Features} features ({data.Text}); make them equal");
        }

        CheckClasses(layers[^1], data.Classes, "model.layers");
        var graph = new GraphBuilder();
        Value x = graph.Input("x", DType.Float32, [Dim.Batch, .. data.SampleShape.Select(d => new Dim(d))]);
        if (data.SampleShape.Count != 1) x = x.FlattenFrom1();
        for (var i = 1; i < layers.Count; i++)
        {
            x = graph.Dense($"dense{i}", x, layers[i]);
            if (i < layers.Count - 1) x = graph.Dropout(Layers.Activate(x, model.Activation), model.Dropout);
        }

        graph.Classify(x);
        return graph.Build();
    }

    internal static void CheckClasses(int width, int classes, string key)
    {
        if (width < classes)
        {
            throw ModelCatalog.Wrong(
                $"{key} ends with {width}, but the data has {classes} classes; the last layer needs one output per class");
        }
    }
}
