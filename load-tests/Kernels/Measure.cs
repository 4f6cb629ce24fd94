using System.Diagnostics;
using System.Globalization;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// Median, best and processor time of a repeated call, and the line that reports them. Rates use the best: machines are
/// shared.
/// </summary>
internal static class Measure
{
    /// <summary>Runs until 0.3 s or 200 calls are measured, after a warm-up that lets the JIT reach its last
    /// tier.</summary>
    public static (double Median, double Best, double Cpu) Seconds(Action run)
    {
        var warm = Stopwatch.StartNew();
        for (var i = 0; i < 40 || warm.Elapsed.TotalSeconds < 0.15; i++)
        {
            run();
            if (warm.Elapsed.TotalSeconds > 1.5) break;
        }

        var times = new List<double>();
        var all = Stopwatch.StartNew();
        var cpu = Environment.CpuUsage.UserTime;
        while (times.Count < 5 || (times.Count < 200 && all.Elapsed.TotalSeconds < 0.3))
        {
            var one = Stopwatch.GetTimestamp();
            run();
            times.Add(Stopwatch.GetElapsedTime(one).TotalSeconds);
        }

        var used = (Environment.CpuUsage.UserTime - cpu).TotalSeconds / times.Count;
        times.Sort();
        return (times[times.Count / 2], times[0], used);
    }

    public static void Report(
        string op, string shape, (double Median, double Best, double Cpu) seconds, double flops = 0, double bytes = 0)
    {
        var line = $"{{\"op\":\"{op}\",\"shape\":\"{shape}\""
            + Field("us", seconds.Median * 1e6) + Field("best_us", seconds.Best * 1e6)
            + Field("cpu_us", seconds.Cpu * 1e6);
        if (flops > 0) line += Field("gflops", flops / seconds.Best / 1e9);
        if (bytes > 0) line += Field("gbs", bytes / seconds.Best / 1e9);
        Console.WriteLine(line + "}");
    }

    private static string Field(string name, double value) =>
        string.Create(CultureInfo.InvariantCulture, $",\"{name}\":{value:F1}");

    /// <summary>Numbers in [-1, 1) from a fixed generator.</summary>
    public static float[] Numbers(int count, uint seed = 1)
    {
        var numbers = new float[count];
        var state = (seed * 2_654_435_761u) | 1;
        for (var i = 0; i < count; i++)
        {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            numbers[i] = (state / 2147483648f) - 1f;
        }

        return numbers;
    }
}
