using System.Text.Json;
using Convoy.Autodiff.Checking.Golden;

namespace Convoy.Conformance.Tests;

/// <summary>TEST-02, OPTIM-01, OPTIM-04, HO-01: every figure of golden/*.json, as `convoy verify golden` runs them.</summary>
public sealed class GoldenTests
{
    public static TheoryData<string, int, string> Cases()
    {
        var data = new TheoryData<string, int, string>();
        foreach (var file in GoldenRunner.Files)
        {
            var all = Report(file);
            for (var i = 0; i < all.Count; i++) data.Add(file, i, all[i].Name);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Case_Passes(string file, int index, string name)
    {
        var result = Report(file)[index];
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

    private static IReadOnlyList<GoldenCase> Report(string file)
    {
        lock (Reports)
        {
            if (Reports.TryGetValue(file, out var known)) return known;
            return Reports[file] = GoldenRunner.Run(file, Document(file));
        }
    }

    private static JsonElement Document(string file) =>
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "golden", file))).RootElement;
}
