using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Models;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Tests.Models;

// GIR-01, API-04: the built-in families as graphs.
public sealed class ModelCatalogTests
{
    [Fact]
    public void TheFamilies_HaveTheParametersOfTheirPapers()
    {
        // The networks of the training benchmark, whose counts are known.
        Assert.Equal(669_706, Parameters(new ModelSpec { Family = "mlp", Layers = [784, 512, 512, 10] }, [784], 10));
        Assert.Equal(
            20_490,
            Parameters(
                new ModelSpec
                {
                    Family = "cnn", Image = [1, 28, 28],
                    Network = ["conv16", "pool", "conv32", "pool", "10"]
                }, [784], 10));
        Assert.Equal(
            826_433,
            Parameters(new ModelSpec
            { Family = "gpt", Vocabulary = 65, Context = 128, Width = 128, Depth = 4, Heads = 4 }, [128], 65));
    }

    [Fact]
    public void TheDigitsNetwork_IsBuiltFromItsWords()
    {
        var model = new ModelSpec
        { Family = "cnn", Image = [1, 8, 8], Network = ["conv16", "conv32", "pool", "64", "10"] };
        var expected = (16 * 9) + 16 + (32 * 16 * 9) + 32 + (64 * 32 * 16) + 64 + (10 * 64) + 10;
        Assert.Equal(expected, Parameters(model, [64], 10));
        Assert.Equal(expected, Parameters(model with { Image = [] }, [1, 8, 8], 10));
    }

    public static TheoryData<string, ModelSpec, int[], int, string> Misfits() => new()
    {
        { "features", new ModelSpec { Layers = [64, 10] }, [63], 10, "starts with 64, but a sample has 63 features" },
        { "classes", new ModelSpec { Layers = [64, 9] }, [64], 10, "10 classes" },
        { "layers", new ModelSpec { Layers = [64] }, [64], 10, "input and an output width" },
        { "activation", new ModelSpec { Layers = [4, 4, 2], Activation = "step" }, [4], 2, "model.activation" },
        { "family", new ModelSpec { Family = "rnn" }, [4], 2, "model.family" },
        { "image", new ModelSpec { Family = "cnn", Network = ["10"] }, [64], 10, "model.image is missing" },
        { "image size", new ModelSpec { Family = "cnn", Image = [1, 9, 8], Network = ["10"] }, [64],
            10, "64 features" },
        { "word", new ModelSpec { Family = "cnn", Image = [1, 8, 8], Network = ["cone3", "10"] },
            [64], 10, "\"cone3\"" },
        { "order", new ModelSpec { Family = "cnn", Image = [1, 8, 8], Network = ["5", "conv3", "10"] }, [64], 10,
            "after a dense" },
        { "end", new ModelSpec { Family = "cnn", Image = [1, 8, 8], Network = ["conv3", "pool"] }, [64], 10,
            "ends with a number" },
        { "pool", new ModelSpec { Family = "cnn", Image = [64, 1, 1], Network = ["pool", "10"] }, [64], 10,
            "nothing is left" },
        { "heads", new ModelSpec { Family = "gpt", Width = 10, Heads = 4 }, [64], 256, "multiple of model.heads" },
        { "context", new ModelSpec { Family = "gpt", Context = 64 }, [65], 256, "model.context 64" },
        { "vocabulary", new ModelSpec { Family = "gpt", Vocabulary = 65 }, [64], 256, "model.vocabulary 65" },
    };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void AModelThatDoesNotFitItsData_IsRefusedInOneLine(string what, ModelSpec model, int[] sample,
        int classes, string part)
    {
        Assert.NotEmpty(what);
        var refused = Assert.Throws<UserException>(() =>
            ModelCatalog.Build(new JobSpec { Model = model }, new DataShape(sample, classes)));
        Assert.Equal(ExitCode.BadJob, refused.Code);
        Assert.Contains(part, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void SampledText_IsAFunctionOfItsSeed()
    {
        var model = new ModelSpec { Family = "gpt", Vocabulary = 256, Context = 8, Width = 8, Depth = 1, Heads = 2 };
        var graph = ModelCatalog.Build(new JobSpec { Model = model }, new DataShape([8], 256));
        using var program = TrainProgram.Compile(graph, 1);
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(1, weights);
        var first = TextSampler.Generate(graph, weights, "ab"u8, 20, 0.8, seed: 5);
        Assert.Equal(first, TextSampler.Generate(graph, weights, "ab"u8, 20, 0.8, seed: 5));
        Assert.NotEqual(first, TextSampler.Generate(graph, weights, "ab"u8, 20, 0.8, seed: 6));
        Assert.Equal(20, TextSampler.Generate(graph, weights, [], 20, 0, seed: 6).Length);
    }

    private static long Parameters(ModelSpec model, int[] sample, int classes)
    {
        var graph = ModelCatalog.Build(new JobSpec { Model = model }, new DataShape(sample, classes));
        return ParameterLayout.Of(graph).Slots.Sum(s => s.Length);
    }
}
