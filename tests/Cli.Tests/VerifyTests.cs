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
        var schedules =
            """[{"schedule": "step", "base_lr": 1.0, "hyper": {"step_size": 2, "gamma": 0.5}, "lr": [1.0, 1.0, 0.5]}, {"schedule": "unheard", "base_lr": 1.0, "hyper": {}, "lr": []}]""";
        await File.WriteAllTextAsync(Path.Combine(folder, "schedules.json"), schedules,
            TestContext.Current.CancellationToken);
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

    [Fact]
    public async Task Golden_WritesItsReportAndOwnFigures()
    {
        // GV-03
        var cancel = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("convoy-golden").FullName;
        var (report, own) = (Path.Combine(folder, "report.md"), Path.Combine(folder, "own", "ops.json"));
        Directory.CreateDirectory(Path.GetDirectoryName(own)!);
        var off = """
            [{"op": "exp", "attrs": {}, "inputs": [{"shape": [1], "data": [0.0]}], "int_inputs": [],
              "output": {"shape": [1], "data": [1.0001]}, "cotangent": {"shape": [1], "data": [2.0]},
              "grads": [{"shape": [1], "data": [2.0]}]}]
            """;
        await File.WriteAllTextAsync(Path.Combine(folder, "ops.json"), off, cancel);
        var run = await CliRun.Of("verify", "golden", folder, "--report", report, "--export", own);
        Assert.Equal((int)ExitCode.Failed, run.Code);
        Assert.Contains("1 cases, 1 failed, 0 unknown", await File.ReadAllTextAsync(report, cancel),
            StringComparison.Ordinal);
        Assert.Equal(0, (await CliRun.Of("verify", "golden", folder, "--relative", "1e-3")).Code);
        var exact = await CliRun.Of(
            "verify", "golden", Path.GetDirectoryName(own)!, "--relative", "0", "--absolute", "0");
        Assert.Equal(0, exact.Code);
        Assert.Equal((int)ExitCode.Usage, (await CliRun.Of("verify", "golden", folder, "--relative", "-1")).Code);
        Assert.Equal((int)ExitCode.Usage, (await CliRun.Of("verify", "golden", folder, "--report", folder)).Code);
        Directory.Delete(folder, recursive: true);
    }
}
