using Convoy.Shared.Diagnostics;

namespace Convoy.Cli.Tests;

public class CommandLineTests
{
    [Theory]
    [InlineData("trian", "Unrecognized command or argument 'trian'.")]
    [InlineData("versoin", "Did you mean 'version'?")]
    [InlineData("doctor --prot 4", "Did you mean '--port'?")]
    [InlineData("doctor --port x", "--port x is not a whole number.")]
    [InlineData("status --state a --to b:1", "not both")]
    [InlineData("scale 0", "at least 1")]
    [InlineData("scale x", "N x is not a whole number.")]
    [InlineData("scale 9999999999", "N 9999999999 is not within -2147483648 to 2147483647.")]
    [InlineData("train --threads 1.5", "--threads 1.5 is not a whole number.")]
    [InlineData("sim --seed -1", "--seed -1 is not within 0 to 18446744073709551615.")]
    [InlineData("bench compute --worse 1,5", "--worse 1,5 is not a number.")]
    [InlineData("scale", "See: convoy scale --help")]
    public async Task WrongUsageIsOneLine(string typed, string says)
    {
        var run = await CliRun.Of(typed.Split(' '));

        run.IsOneLine(2);
        Assert.Contains(says, run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Out);
    }

    [Fact]
    public async Task WithJsonAnErrorIsAnObjectToo()
    {
        var run = await CliRun.Of("status", "--state", "/no/such/folder", "--json");

        run.IsOneLine(2);
        Assert.Equal(2, run.Json.GetProperty("exit_code").GetInt32());
        Assert.Contains("/no/such/folder", run.Json.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NobodyThereIsExitCodeSix()
    {
        // Port 1 of this machine: nothing listens there.
        var run = await CliRun.Of("status", "--to", "127.0.0.1:1");

        run.IsOneLine(6);
        Assert.Contains("127.0.0.1:1", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoArgumentsShowHelpWithExitCodes()
    {
        var run = await CliRun.Of();

        Assert.Equal(0, run.Code);
        Assert.Contains("130  interrupted", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task VersionNamesTheBuild()
    {
        var run = await CliRun.Of("version", "--json");

        Assert.Equal(0, run.Code);
        Assert.Equal(BuildId.Current, run.Json.GetProperty("build").GetString());
        Assert.Equal(12, BuildId.Current.Length);
    }

    [Fact]
    public async Task DoctorFindsThisMachineFit()
    {
        var run = await CliRun.Of("doctor", "--json");

        Assert.True(run.Code == 0, run.Error);
        string[] names = ["versions", "cores", "simd", "memory", "ports", "network", "clock", "disk"];
        Assert.Equal(names, run.Json.GetProperty("checks").EnumerateArray()
            .Select(c => c.GetProperty("name").GetString()));
    }
}
