namespace Convoy.Cli.Tests;

/// <summary>GIR-04, GIR-06: the graph of a job, analysed and lowered.</summary>
public sealed class GraphCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-graph").FullName;

    public GraphCommandTests()
    {
        File.WriteAllText(Path.Combine(_folder, "text.txt"), new string('a', 500));
        File.WriteAllText(JobFile, """
            job: small
            model: { family: gpt, vocabulary: 256, context: 8, width: 8, depth: 1, heads: 2 }
            data: { format: text, path: [text.txt] }
            batch: 8
            slices: 4
            steps: 2
            optimizer: { kind: sgd, lr: 0.1 }
            """);
    }

    private string JobFile => Path.Combine(_folder, "job.yaml");

    [Fact]
    public async Task AnAnalysis_NamesTheLongestChain()
    {
        var run = await CliRun.Of("graph", JobFile, "--analyze", "--json");
        Assert.True(run.Code == 0, run.Error);
        var chain = run.Json.GetProperty("critical_path").EnumerateArray().Select(n => n.GetString()!).ToArray();
        Assert.Contains(chain, n => n.Contains("linear", StringComparison.Ordinal));
        Assert.InRange(run.Json.GetProperty("speed_up_max").GetDouble(), 1, 4);
        Assert.Equal(3, run.Json.GetProperty("speed_up").GetArrayLength());
        Assert.Contains("levels", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheLowering_IsPrinted()
    {
        var run = await CliRun.Of("graph", JobFile, "--mlir");
        Assert.True(run.Code == 0, run.Error);
        Assert.StartsWith("module {", run.Out, StringComparison.Ordinal);
        Assert.Contains("\"convoy.linear\"", run.Out, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
