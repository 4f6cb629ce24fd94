namespace Convoy.Cli.Terminal;

/// <summary>Where a command writes. Tests hand in their own writers.</summary>
/// <param name="Interactive">Standard error is a terminal: live progress may be drawn there.</param>
internal sealed record CliStreams(TextWriter Out, TextWriter Error, bool Interactive)
{
    public static CliStreams Process() =>
        new(Console.Out, Console.Error, !Console.IsOutputRedirected && !Console.IsErrorRedirected);
}
