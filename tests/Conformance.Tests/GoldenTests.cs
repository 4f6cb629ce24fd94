using System.Text.Json;
using System.Text.Json.Nodes;
using Convoy.Autodiff.Checking.Golden;

namespace Convoy.Conformance.Tests;

/// <summary>TEST-02, GV-03, GV-06, OPTIM-01 to OPTIM-04, HO-01, HO-03: every figure of golden/*.json, and of
/// golden-shapes/*.json (scalars, dimensions of 1, odd windows and axes, other settings and layers), as `convoy verify
/// golden` runs them. Both were made with PyTorch 1.13 in float64.</summary>
public sealed class GoldenTests
{
    private const string Golden = "golden";
    private static readonly string[] Folders = [Golden, "golden-shapes"];

    public static TheoryData<string, string, int, string> Cases()
    {
        var data = new TheoryData<string, string, int, string>();
        foreach (var folder in Folders)
        {
            foreach (var file in GoldenRunner.Files)
            {
                var all = Report(folder, file);
                for (var i = 0; i < all.Count; i++) data.Add(folder, file, i, all[i].Name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case_Passes(string folder, string file, int index, string name)
    {
        var result = Report(folder, file)[index];
        Assert.True(result.State == GoldenState.Passed, $"{name}: {result.State} {result.Note}");
    }

    [Fact]
    public void WrongFiguresAndUnknownNames_AreReported()
    {
        var wrong = JsonDocument.Parse("""
            [{"op": "exp", "attrs": {}, "inputs": [{"shape": [1], "data": [0.0]}], "int_inputs": [],
              "output": {"shape": [1], "data": [1.00001]}, "cotangent": {"shape": [1], "data": [1.0]},
              "grads": [{"shape": [1], "data": [1.0]}]},
             {"op": "no_such_operator", "attrs": {}, "inputs": [], "int_inputs": [], "output": null, "cotangent": null,
              "grads": []}]
            """).RootElement;
        var cases = GoldenRunner.Run("ops.json", wrong);
        Assert.Equal(GoldenState.Failed, cases[0].State);
        Assert.Contains("output[0]", cases[0].Note, StringComparison.Ordinal);
        Assert.Equal(GoldenState.Unknown, cases[1].State);
    }

    [Fact]
    public void SettingsThatMeanNothingHere_AreNotPassedOver()
    {
        var optimizers = JsonDocument.Parse("""
            {"p0": [1], "grads": [[1]], "runs": [
              {"optimizer": "sgd", "hyper": {"lr": 0.1, "capturable": true}, "trajectory": [[0.9]]},
              {"optimizer": "sgd", "hyper": {"lr": 0.1, "maximize": true}, "trajectory": [[1.1]]},
              {"optimizer": "sgd", "hyper": {"lr": 0.1, "dampening": 0, "maximize": false}, "trajectory": [[0.9]]}]}
            """).RootElement;
        var cases = GoldenRunner.Run("optimizers.json", optimizers);
        Assert.Equal((GoldenState.Unknown, "capturable is unknown"), (cases[0].State, cases[0].Note));
        Assert.All(cases.Skip(1), c => Assert.Equal(GoldenState.Passed, c.State));
        var schedules = JsonDocument.Parse("""
            [{"schedule": "one_cycle", "base_lr": 0.1, "hyper": {"max_lr": 1, "total_steps": 5, "steps_per_epoch": 2},
              "lr": [0.1]}]
            """).RootElement;
        Assert.Equal("steps_per_epoch is unknown", GoldenRunner.Run("schedules.json", schedules)[0].Note);
        string[] layers =
        [
            "BatchNorm1d(2)", "Linear(in_features=2, out_features=2, bias=True, rank=1)", "Softplus(beta=1, threshold=3)",
            "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=True)",
            "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=same)",
        ];
        string[] strangers =
        [
            "BatchNorm1d", "Linear rank=1", "Softplus threshold=3", "MaxPool2d ceil_mode=True", "Conv2d padding=same",
        ];
        for (var i = 0; i < layers.Length; i++) Assert.Equal($"{strangers[i]} is unknown", Trace(layers[i], "{}").Note);
        Assert.Equal("foreach is unknown", Trace("Tanh()", """{"lr": 0.1, "foreach": true}""").Note);

        static GoldenCase Trace(string layer, string hyper) => GoldenRunner.Run("traces.json", JsonDocument.Parse($$"""
            [{"trace": "t", "layers": "Sequential( (0): {{layer}} )", "params": [], "optimizer": "SGD",
              "hyper": {{hyper}}, "x": {"shape": [1, 1], "data": [1]}, "y": {"shape": [1, 1], "data": [1]},
              "losses": [0], "final": []}]
            """).RootElement)[0];
    }

    [Fact]
    public void OwnFigures_AreWritten_ReadBackToTheBit_AndCompared()
    {
        // GV-06: figures of today are the reference of tomorrow; GV-03: the form is that of other libraries.
        var own = JsonDocument.Parse(GoldenOperator.Export(Document("ops.json"))).RootElement;
        var exact = new GoldenTolerance(0, 0);
        var again = GoldenRunner.Run("ops.json", own, exact);
        Assert.Equal(Report(Golden, "ops.json").Count, again.Count);
        Assert.All(again, c => Assert.True(c.State == GoldenState.Passed, $"{c.Name}: {c.Note}"));
        Assert.All(again, c => Assert.Equal((0, 0), (c.AbsoluteMax, c.RelativeMax)));

        // One digit in one gradient: one case fails, and is named with its place.
        var text = JsonNode.Parse(own.GetRawText())!.AsArray();
        var damaged = text.First(c => c!["op"]!.GetValue<string>() == "matmul")!["grads"]![1]!["data"]!;
        damaged[2] = damaged[2]!.GetValue<double>() * (1 + 1e-7);
        var found = GoldenRunner.Run("ops.json", JsonDocument.Parse(text.ToJsonString()).RootElement);
        var wrong = Assert.Single(found, c => c.State == GoldenState.Failed);
        Assert.StartsWith("matmul", wrong.Name, StringComparison.Ordinal);
        Assert.Contains("gradient 1[2] is", wrong.Note, StringComparison.Ordinal);
        var report = GoldenReport.Markdown(found);
        Assert.Contains($"{found.Count} cases, 1 failed, 0 unknown", report, StringComparison.Ordinal);
        Assert.Contains($"- ops.json {wrong.Name}: gradient 1[2]", report, StringComparison.Ordinal);
        Assert.All(
            GoldenRunner.Run("ops.json", JsonDocument.Parse(text.ToJsonString()).RootElement,
                new GoldenTolerance(1e-6)),
            c => Assert.Equal(GoldenState.Passed, c.State));
    }

    [Fact]
    public void ThreeWorkers_TrainAsOneDoes_AndEndAlike()
    {
        foreach (var json in Document("traces.json").EnumerateArray())
        {
            var (one, three) = (GoldenTraces.Train(json, 1)!, GoldenTraces.Train(json, 3)!);
            Assert.Equal(3, three.Parameters.Length);
            for (var t = 0; t < one.Losses.Length; t++)
                Assert.Equal(one.Losses[t], three.Losses[t], 1e-9 * Math.Abs(one.Losses[t]));
            // The cut is real: another order of the sums rounds otherwise somewhere on the way.
            Assert.NotEqual(one.Losses, three.Losses);
            foreach (var worker in three.Parameters)
                for (var i = 0; i < worker.Length; i++)
                    Assert.Equal(three.Parameters[0][i].ToArray<double>(), worker[i].ToArray<double>());
        }
    }

    private static readonly Dictionary<string, IReadOnlyList<GoldenCase>> Reports = new(StringComparer.Ordinal);

    private static IReadOnlyList<GoldenCase> Report(string folder, string file)
    {
        lock (Reports)
        {
            var key = $"{folder}/{file}";
            if (Reports.TryGetValue(key, out var known)) return known;
            return Reports[key] = GoldenRunner.Run(file, Document(file, folder));
        }
    }

    private static JsonElement Document(string file, string folder = Golden) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, folder, file))).RootElement;
}
