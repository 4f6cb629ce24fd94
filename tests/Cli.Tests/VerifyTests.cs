using System.Text.Json;
using Convoy.Shared;

namespace Convoy.Cli.Tests;

/// <summary>TEST-08: the command's last line is its result; folders without figures are refused in one line.</summary>
public sealed class VerifyTests
{
    [Fact]
    public async Task Golden_CountsCases()
    {
        var folder = Directory.CreateTempSubdirectory("convoy-golden").FullName;
        var schedules = """[{"schedule": "step", "base_lr": 1.0, "hyper": {"step_size": 2, "gamma": 0.5}, "lr": [1.0, 1.0, 0.5]}, {"schedule": "unheard", "base_lr": 1.0, "hyper": {}, "lr": []}]""";
        await File.WriteAllTextAsync(Path.Combine(folder, "schedules.json"), schedules, TestContext.Current.CancellationToken);
        var run = await CliRun.Of("verify", "golden", folder, "--json");
        Assert.Equal((int)ExitCode.Failed, run.Code);
        var last = JsonDocument.Parse(run.Out.TrimEnd().Split('\n')[^1]).RootElement;
        Assert.Equal(2, last.GetProperty("cases").GetInt32());
        Assert.Equal(0, last.GetProperty("failed").GetInt32());
        Assert.Equal(1, last.GetProperty("unknown").GetInt32());
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Golden_WithoutFigures_IsRefused()
    {
        var folder = Directory.CreateTempSubdirectory("convoy-golden").FullName;
        var run = await CliRun.Of("verify", "golden", folder);
        Assert.Equal((int)ExitCode.BadData, run.Code);
        Assert.Contains("holds no case", run.Error, StringComparison.Ordinal);
        await File.WriteAllTextAsync(Path.Combine(folder, "ops.json"), "{", TestContext.Current.CancellationToken);
        Assert.Equal((int)ExitCode.BadData, (await CliRun.Of("verify", "golden", folder)).Code);
        Directory.Delete(folder, recursive: true);
    }
}
