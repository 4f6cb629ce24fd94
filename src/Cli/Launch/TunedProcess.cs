using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Convoy.Cli.Launch;

/// <summary>
/// The same command in a process whose compiler is set for it. A simulation calls ten thousand methods many times each:
/// to compile every one twice, first quickly and then well, is a third of the processor time of a hundred seeds, and
/// the quick code is slow meanwhile. Compiled well at once, they cost half of that. Training starts a second later so,
/// and gains nothing; and the runtime reads these settings before the first line of ours.
/// </summary>
internal static class TunedProcess
{
    /// <summary>False: this is that process already, or a test host.</summary>
    public static bool IsWanted(bool isChild) => !isChild && OwnProgram.IsThisProcess;

    /// <summary>Runs it with these words and gives its exit code; whatever ends this process ends it too.</summary>
    /// <param name="words">The command.</param>
    /// <param name="threads">
    /// That work in it: the collector has a heap for each, and cleans them at the same time.
    /// </param>
    /// <param name="cancel">Gives up waiting.</param>
    public static async Task<int> RunAsync(IEnumerable<string> words, int threads, CancellationToken cancel)
    {
        var start = OwnProgram.With(words);
        start.RedirectStandardInput = true; // closes when this process ends, by whatever signal
        start.Environment.TryAdd("DOTNET_TC_QuickJit", "0");
        // What the platform brings compiled is compiled well after thirty calls, not after a pause in compiling.
        start.Environment.TryAdd("DOTNET_TC_CallCountingDelayMs", "0");
        if (threads > 1 && start.Environment.TryAdd("DOTNET_gcServer", "1"))
            start.Environment.TryAdd("DOTNET_GCHeapCount", $"{Math.Min(threads, Environment.ProcessorCount):x}");
        using var process = Process.Start(start)!;
        // The terminal's Ctrl-C reaches both; the other one ends by it, and this one then.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, static c => c.Cancel = true);
        await process.WaitForExitAsync(cancel);
        return process.ExitCode;
    }

    /// <summary>Ends this process when the one that holds its standard input has ended.</summary>
    public static async Task EndWithParentAsync()
    {
        var input = Console.OpenStandardInput();
        var nothing = new byte[64];
        while (await input.ReadAsync(nothing) > 0)
        {
        }

        Environment.Exit(1);
    }
}
