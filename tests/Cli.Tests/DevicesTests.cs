using Convoy.Shared;

namespace Convoy.Cli.Tests;

// DEV-01: what can compute on this machine.
public class DevicesTests
{
    [Fact]
    public async Task TheProcessorComesFirst_ThenEveryAcceleratorOrWhatIsMissing()
    {
        var run = await CliRun.Of("devices", "--json");

        Assert.Equal(0, run.Code);
        Assert.StartsWith("cpu ", run.Error, StringComparison.Ordinal);
        Assert.True(run.Json.GetProperty("cpu").GetProperty("cores").GetInt32() > 0);
        var found = run.Json.GetProperty("accelerators").EnumerateArray().Select(a => a.GetProperty("name").GetString()!);
        foreach (var name in found) Assert.Contains($"\n{name} ", run.Error, StringComparison.Ordinal);
        if (run.Json.GetProperty("missing").GetString() is { } missing)
            Assert.Contains(missing, run.Error, StringComparison.Ordinal);
        else Assert.NotEmpty(found);
    }

    // OPS-13: a whole run takes seconds, so what must be one line is tried here; the bits are in ConvOnDeviceTests.
    [Fact]
    public async Task AnAcceleratorThatVerifyOpsCannotHave_IsOneLine()
    {
        (await CliRun.Of("verify", "ops", "--accelerator", "cuda")).IsOneLine((int)ExitCode.Usage);
        (await CliRun.Of("verify", "ops", "--accelerator", "opencl:63")).IsOneLine((int)ExitCode.Accelerator);
    }
}
