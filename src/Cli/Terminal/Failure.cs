using System.Globalization;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Storage;

namespace Convoy.Cli.Terminal;

/// <summary>
/// The one place where an exception becomes what a user sees: one line on standard error, an exit code and, with
/// <c>--json</c>, the object {"error","exit_code"} as last line of standard output. Never a stack trace.
/// </summary>
internal static class Failure
{
    public static int Report(Exception failure, CliContext context)
    {
        var (code, text) = Describe(failure, context.Time);
        context.Streams.Error.WriteLine($"convoy: {text}");
        context.Result(new { Error = text, ExitCode = (int)code });
        return (int)code;
    }

    private static (ExitCode Code, string Text) Describe(Exception failure, TimeProvider time) => failure switch
    {
        UserException user => (user.Code, OneLine(user.Message)),
        IOException when StorageFault.IsFull(failure) => (ExitCode.Storage, OneLine(failure.Message)),
        OperationCanceledException => (ExitCode.Interrupted, "interrupted"),
        UnauthorizedAccessException or IOException =>
            (ExitCode.Failed, $"{OneLine(failure.Message)} (details: {WriteCrashLog(failure, time)})"),
        _ => (ExitCode.Failed, $"unexpected failure, please report it: {OneLine(failure.Message)} " +
            $"(details: {WriteCrashLog(failure, time)})"),
    };

    private static string OneLine(string text) =>
        string.Join(' ',
            text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static string WriteCrashLog(Exception failure, TimeProvider time)
    {
        try
        {
            var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "convoy-crashes")).FullName;
            var stamp = time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
            var path = Path.Combine(folder, $"{stamp}-{Environment.ProcessId}.log");
            File.WriteAllText(path, $"""
                convoy build {BuildId.Current}
                command {string.Join(' ', Environment.GetCommandLineArgs())}
                {failure}

                """);
            return path;
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            // The disk may be what failed in the first place; the line on the terminal still says what happened.
            return "no crash log could be written";
        }
    }
}
