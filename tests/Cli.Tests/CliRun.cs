using System.Text.Json;
using Convoy.Cli.Terminal;

namespace Convoy.Cli.Tests;

/// <summary>Runs one command in this process, as typed, with its streams caught.</summary>
internal sealed record CliRun(int Code, string Out, string Error)
{
    public static async Task<CliRun> Of(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var streams = new CliStreams(output, error, Interactive: false);
        var code = await CommandLine.RunAsync(arguments, streams, TimeProvider.System);
        return new CliRun(code, output.ToString(), error.ToString());
    }

    public JsonElement Json => JsonDocument.Parse(Out.TrimEnd().Split('\n')[^1]).RootElement;

    /// <summary>The contract of every failure: one line, prefixed, without a stack trace.</summary>
    public void IsOneLine(int code)
    {
        Assert.True(Code == code, $"exit {Code}, expected {code}: {Error}");
        var line = Assert.Single(Error.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("convoy: ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", line, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", line, StringComparison.Ordinal);
    }
}
