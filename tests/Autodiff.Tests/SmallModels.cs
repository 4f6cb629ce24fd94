using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests;

/// <summary>The three families in sizes that run in milliseconds, and batches for them.</summary>
internal static class SmallModels
{
    public static readonly string[] Names = ["mlp", "cnn", "gpt", "tied", "mlp-dropout", "cnn-norm", "cnn-layer", "cnn-group"];

    public static Graph Build(string name) => name switch
    {
        "mlp" => ModelCatalog.Build(
            new JobSpec { Model = new ModelSpec { Family = "mlp", Layers = [12, 20, 7, 5] } }, new DataShape([12], 5)),
        "cnn" => ModelCatalog.Build(
            new JobSpec
            {
                Model = new ModelSpec
                { Family = "cnn", Image = [1, 8, 8], Network = ["conv4", "conv6", "pool", "9", "5"] },
            },
            new DataShape([64], 5)),
        "gpt" => ModelCatalog.Build(
            new JobSpec
            {
                Model = new ModelSpec { Family = "gpt", Vocabulary = 11, Context = 6, Width = 8, Depth = 2, Heads = 2 },
            },
            new DataShape([6], 11)),
        "tied" => Tied(),
        "mlp-dropout" => ModelCatalog.Build(
            new JobSpec { Model = new ModelSpec { Family = "mlp", Layers = [12, 20, 7, 5], Dropout = 0.3 } },
            new DataShape([12], 5)),
        "cnn-norm" => ModelCatalog.Build(
            new JobSpec
            {
                Model = new ModelSpec
                {
                    Family = "cnn", Image = [1, 8, 8], Network = ["conv4", "conv6", "pool", "9", "5"], Norm = "batch",
                    Dropout = 0.2,
                },
            },
            new DataShape([64], 5)),
        "cnn-layer" or "cnn-group" => ModelCatalog.Build(
            new JobSpec
            {
                Model = new ModelSpec
                { Family = "cnn", Image = [1, 8, 8], Network = ["conv4", "conv12", "pool", "5"], Norm = name[4..] },
            },
            new DataShape([64], 5)),
        _ => throw new ArgumentException(name),
    };

    public static void Fill(BatchBuffer batch, int firstRow, int rows, int classes)
    {
        batch.Rows = rows;
        foreach (var input in batch.Inputs)
        {
            var n = input.ElementsPerSample;
            var stream = new RandomStream(5, RandomPurpose.Mask, input.Name == "x" ? 1UL : 2UL);
            var from = (long)firstRow * n;
            if (input.DType == DType.Float32)
                for (var i = 0; i < rows * n; i++) batch.Floats(input.Name)[i] = stream.Normal(from + i);
            else
                for (var i = 0; i < rows * n; i++)
                    batch.Ints(input.Name)[i] = (int)(stream.Word(from + i) % (uint)classes);
        }
    }

    public static int Classes(string name) => name == "gpt" ? 11 : 5;

    // One weight used twice, once transposed, and a scaled weight: gradients that are added before they reach the
    // parameter.
    private static Graph Tied()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", DType.Float32, Dim.Batch, 6);
        var w = graph.Parameter("w", ParameterInit.Normal(0.4), 6, 6);
        var scale = graph.Parameter("scale", ParameterInit.Normal(1), 1, 6);
        var h = x.MatMul(w).Tanh();
        var head = (w * scale).Transpose().Slice(1, 0, 5);
        graph.Classify(h.MatMul(head));
        return graph.Build();
    }
}
