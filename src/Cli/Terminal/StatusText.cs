using System.Globalization;
using System.Text.Json;
using Convoy.Coordinator.Api;

namespace Convoy.Cli.Terminal;

/// <summary>A status report as lines for people and as one line of JSON.</summary>
internal static class StatusText
{
    public static string Json(StatusReport status) => JsonSerializer.Serialize(status, ApiJson.Options);

    public static IEnumerable<string> Lines(StatusReport status)
    {
        yield return $"job {status.Job ?? "(none)"}: {status.State}, membership {status.Membership}, " +
            $"generation {status.Generation}, exactness {status.Exactness}";
        if (status.StepsTotal > 0) yield return Progress(status);
        foreach (var worker in status.Workers)
            yield return $"  {worker.Name,-8} {worker.State,-11} pid {worker.Pid,-8} {worker.Address,-21} " +
                $"slices {Dash(worker.Slices),-8} step {worker.Step,-7} {worker.Phase}{Copies(worker)}";
        foreach (var reason in status.Reasons) yield return $"  waiting: {reason}";
        if (status.Failures + status.ScaleEvents > 0)
            yield return $"  failures {status.Failures}, scale events {status.ScaleEvents}";
        if (status.Checkpoint is { } checkpoint)
            yield return $"  checkpoint of step {checkpoint.Step}: {checkpoint.Path}";
        foreach (var job in status.Jobs)
            yield return $"  job {job.JobId,-16} {job.Outcome ?? job.State,-10} step {job.Step}/{job.UntilStep} " +
                $"g{job.Generation} {job.Workers} workers";
        if (status.Profile is { } profile)
            foreach (var line in Profile(profile)) yield return line;
        if (status.RootCause is { } cause) yield return $"  root cause: {cause.Worker}: {cause.Text}";
    }

    /// <summary>One line of progress: step, loss, samples/s, share of synchronisation, time left.</summary>
    public static string Progress(StatusReport status)
    {
        var until = status.UntilStep > 0 ? status.UntilStep : status.StepsTotal;
        return string.Create(CultureInfo.InvariantCulture,
            $"step {status.Step}/{until}  epoch {status.Epoch:0.00}  loss {Number(status.Loss, "0.0000")}  " +
            $"{Number(status.SamplesPerSecond, "0")} samples/s  sync {Percent(status.SyncShare)}  {Saves(status)}" +
            $"eta {Seconds(status.EtaSeconds)}");
    }

    /// <summary>Only where somebody would look for the cause.</summary>
    private static string Saves(StatusReport status) =>
        status.SaveShare is >= 0.01 and var share ? $"saves {Percent(share)}  " : "";

    private static string Copies(WorkerView worker) =>
        (worker.CopiesBytes, worker.CopiesDiskBytes) switch
        {
            (0, 0) => "",
            (var memory, 0) => $", copies {Megabytes(memory)}",
            var (memory, disk) => $", copies {Megabytes(memory)} and {Megabytes(disk)} on disk",
        };

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");

    private static IEnumerable<string> Profile(ProfileView profile)
    {
        yield return $"  operators are timed {(profile.On ? "now" : "no more")}: {profile.Runs} passes on " +
            $"{profile.Workers} workers, up to step {profile.Step}";
        foreach (var o in profile.Operators)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"    {o.Operator,-24} {o.Share * 100,5:0.0}%  {o.TotalMs,10:0.0} ms in {o.Calls} calls  " +
                $"{o.MinMs:0.000}-{o.MaxMs:0.000} ms  {o.GigaFlops:0.0} GFLOP/s  {o.GigaBytes:0.0} GB/s");
    }

    public static string Dash(string text) => text.Length == 0 ? "-" : text;

    private static string Number(double? value, string format) =>
        value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    private static string Percent(double? share) =>
        share is { } s ? string.Create(CultureInfo.InvariantCulture, $"{s * 100:0}%") : "-";

    private static string Seconds(double? seconds) => seconds switch
    {
        null => "-",
        < 90 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 5400 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0.0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0.0} h"),
    };
}
