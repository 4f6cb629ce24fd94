using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Convoy.LoadTests.Kernels;

/// <summary>The Python of this machine and what it can compare with; none of it is needed.</summary>
/// <param name="pythons">Commands to try, in order.</param>
/// <param name="budgetSeconds">Of each case.</param>
internal sealed class Peers(IReadOnlyList<string> pythons, double budgetSeconds)
{
    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "compare", "peers.py");

    /// <summary>Why something was left out, a line each.</summary>
    public List<string> Skipped { get; } = [];

    public IReadOnlyList<ComparisonTime> Run()
    {
        foreach (var python in pythons)
        {
            if (Start(python) is not { } process) continue;
            using (process)
            {
                var text = process.StandardOutput.ReadToEnd();
                process.WaitForExit();
                if (process.ExitCode != 0) Skipped.Add($"{python} ended with {process.ExitCode}; what it did not say is missing");
                return Parse(text);
            }
        }

        Skipped.Add($"skipped: none of {string.Join(", ", pythons)} can be started; "
            + "install Python 3 with numpy and torch to compare");
        return [];
    }

    internal IReadOnlyList<ComparisonTime> Parse(string text)
    {
        var times = new List<ComparisonTime>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var one = JsonDocument.Parse(line).RootElement;
            var peer = one.GetProperty("peer").GetString()!;
            if (one.TryGetProperty("skip", out var why)) Skipped.Add($"skipped: {peer} ({why.GetString()})");
            else
                times.Add(new ComparisonTime(peer, one.GetProperty("case").GetString()!,
                    one.GetProperty("us").GetDouble(), one.GetProperty("check").GetDouble()));
        }

        return times;
    }

    private Process? Start(string python)
    {
        var start = new ProcessStartInfo(python) { RedirectStandardOutput = true };
        start.ArgumentList.Add(Script);
        start.ArgumentList.Add(budgetSeconds.ToString(CultureInfo.InvariantCulture));
        // Libraries below NumPy and PyTorch read these when they are loaded.
        foreach (var threads in (string[])["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"])
            start.Environment[threads] = "1";
        try
        {
            return Process.Start(start);
        }
        catch (Win32Exception)
        {
            return null; // there is no such command; the next one is tried
        }
    }
}
