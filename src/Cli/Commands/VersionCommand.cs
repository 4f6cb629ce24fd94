using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using Convoy.Cli.Terminal;
using Convoy.Shared.Diagnostics;

namespace Convoy.Cli.Commands;

/// <summary>Version, build id (compared in the handshake between processes) and runtime.</summary>
internal sealed class VersionCommand() : CliCommand("version", "Show version, build id and runtime.",
    "convoy version", "convoy version --json")
{
    public static string Product =>
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?
            .InformationalVersion.Split('+')[0] ?? "0";

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var runtime = RuntimeInformation.FrameworkDescription;
        context.Result(new { Version = Product, Build = BuildId.Current, Runtime = runtime });
        context.Line($"convoy {Product}, build {BuildId.Current}, {runtime}, {RuntimeInformation.RuntimeIdentifier}");
        return Task.FromResult(0);
    }
}
