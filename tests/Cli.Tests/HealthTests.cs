namespace Convoy.Cli.Tests;

// PROD-01: the command over a run that has ended; live runs are judged by the same review through the API.
public sealed class HealthTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("convoy-health-").FullName;

    [Fact]
    public async Task AnEndedRunIsJudgedFromItsMetrics()
    {
        Run(norm: 1.0);
        var run = await CliRun.Of("health", "--state", _state, "--json");

        Assert.Equal(0, run.Code);
        Assert.Equal(("healthy", 100),
            (run.Json.GetProperty("verdict").GetString(), run.Json.GetProperty("score").GetInt32()));
    }

    [Fact]
    public async Task AnIllRunExitsWithAnError()
    {
        Run(norm: double.NaN);
        var run = await CliRun.Of("health", "--state", _state);

        Assert.NotEqual(0, run.Code);
        Assert.Contains("-50", run.Out, StringComparison.Ordinal);
        Assert.Contains("50 of 100", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoRunIsOneLine() =>
        (await CliRun.Of("health", "--state", Path.Combine(_state, "none"))).IsOneLine(2);

    public void Dispose() => Directory.Delete(_state, recursive: true);

    private void Run(double norm)
    {
        var value = double.IsNaN(norm) ? "\"NaN\"" : "1.0";
        File.WriteAllText(Path.Combine(_state, "result.json"), "{\"job\":\"j\"}\n");
        File.WriteAllLines(Path.Combine(_state, "metrics.jsonl"), Enumerable.Range(1, 60).Select(step =>
            $$"""{"step":{{step}},"loss":1.0,"gradient_norm":{{value}},"total_us":1000,"sync_us":100}"""));
    }
}
