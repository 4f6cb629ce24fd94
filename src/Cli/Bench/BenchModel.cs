using Convoy.Autodiff.Models;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Bench;

/// <summary>A model that peers publish figures of, trained on noise.</summary>
/// <param name="Name">With the batch: what a line of a measurement is called.</param>
/// <param name="Rows">Samples of a step.</param>
/// <param name="Classes">Targets, and tokens of a text, are below it.</param>
internal sealed record BenchModel(string Name, int Rows, int Classes, ModelSpec Model, DataShape Data)
{
    public static readonly BenchModel SmallGpt = new("gpt L4 D128 T128 b8", 8, 65,
        new ModelSpec { Family = "gpt", Vocabulary = 65, Context = 128, Width = 128, Depth = 4, Heads = 4 },
        new DataShape([128], 65));

    public static readonly IReadOnlyList<BenchModel> All =
    [
        new("mlp784-512-512-10 b128", 128, 10,
            new ModelSpec { Family = "mlp", Layers = [784, 512, 512, 10] }, new DataShape([784], 10)),
        new("mlp64-128-10 b32", 32, 10, new ModelSpec { Family = "mlp", Layers = [64, 128, 10] }, new DataShape([64], 10)),
        new("cnn16-32 b64", 64, 10,
            new ModelSpec { Family = "cnn", Image = [1, 28, 28], Network = ["conv16", "pool", "conv32", "pool", "10"] },
            new DataShape([784], 10)),
        SmallGpt,
    ];
}
