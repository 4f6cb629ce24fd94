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

    // MEM-04: the parts add up, and another worker means links.
    [Fact]
    public async Task MemoryIsPredicted_PartByPart()
    {
        var run = await CliRun.Of("graph", JobFile, "--memory", "--workers", "2", "--json");
        Assert.Equal(0, run.Code);
        var parts = run.Json.GetProperty("parts").EnumerateArray().ToList();
        Assert.Equal(run.Json.GetProperty("peak_bytes").GetInt64(), parts.Sum(p => p.GetProperty("bytes").GetInt64()));
        Assert.Contains(parts, p => p.GetProperty("name").GetString() == "activations (arena)");
        Assert.Contains(parts, p => p.GetProperty("name").GetString() == "shared memory of links");
        // FT-02: a donor lends two copies of weights and optimizer state, a joiner is sent one.
        var joins = run.Json.GetProperty("join_parts").EnumerateArray()
            .ToDictionary(p => p.GetProperty("name").GetString()!, p => p.GetProperty("bytes").GetInt64());
        var state = parts.Where(p => p.GetProperty("name").GetString() is "parameters" or "optimizer state")
            .Sum(p => p.GetProperty("bytes").GetInt64());
        Assert.Equal((2 * state, state),
            (joins["member: copies that it lends"], joins["joiner: the copy that it is sent"]));
        Assert.InRange(joins["joiner: steps that wait"], 1, 256L << 20); // a small model: many steps in the bound
    }

    // MEM-04: one view at a time; another was left out in silence.
    [Theory]
    [InlineData("--memory --analyze", "give one of --dot, --mlir, --analyze, --passes, --memory")]
    [InlineData("--dot --mlir", "give one of ")]
    [InlineData("--workers 2", "--workers is about --memory: give it too")]
    [InlineData("--threads 2 --passes", "--threads is about --memory: give it too")]
    [InlineData("--memory --threads 0", "--threads 0 is not within 1 to 256")]
    [InlineData("--memory --workers 5", "--workers 5 is not within 1 to 4 (elastic.max of the job)")]
    [InlineData("--memory --workers x", "--workers x is not a whole number.")]
    public async Task OptionsThatDoNotFit_AreOneLine(string options, string says)
    {
        var run = await CliRun.Of(["graph", JobFile, .. options.Split(' ')]);

        run.IsOneLine(2);
        Assert.Contains(says, run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Out);
    }

    // MEM-05, OPT-12: what passes did, and what is computed again.
    [Fact]
    public async Task PassesAreReported()
    {
        var run = await CliRun.Of("graph", JobFile, "--passes", "--json", "--set", "recompute=uniform:2");
        Assert.Equal(0, run.Code);
        Assert.True(run.Json.GetProperty("passes").GetArrayLength() > 5);
        Assert.Equal("uniform:2", run.Json.GetProperty("recompute").GetProperty("strategy").GetString());
        Assert.Contains("memory of a training step", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ABudgetThatCannotBeKept_IsOneLine()
    {
        var run = await CliRun.Of("graph", JobFile, "--passes", "--set", "recompute=budget:1KB");
        Assert.NotEqual(0, run.Code);
        Assert.Contains("smallest plan", run.Error, StringComparison.Ordinal);
    }

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
