using System.Globalization;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;
using Convoy.Shared;

namespace Convoy.Cli.Launch;

/// <summary>What a run says at its end: summary, metrics, sample of text, checkpoint, root cause, exit code.</summary>
internal static class RunEnd
{
    public static int Report(
        CliContext context, PreparedJob job, StatusReport status, RunFollower follower, bool interrupted,
        StateFolder? state)
    {
        if (status.Outcome == "failed") throw Failed(status);
        var result = new TrainResult(job.Job.Job, status.Step, status.Epoch, follower.Workers, status.Generations,
            status.FinalLoss ?? status.Loss, status.Metrics, Math.Round(follower.SamplesPerSecond, 1),
            status.StartupSeconds, status.WeightsSha256, status.Checkpoint?.Path, status.Outcome!);
        foreach (var line in Summary(result, status)) context.Line(line);
        if (TextSample.Of(job, status.Checkpoint?.Path) is { } text) context.Line($"sample of generated text:\n{text}");
        if (result.Checkpoint is { } path) context.Line($"checkpoint: {path}");
        context.Result(result);
        state?.WriteResult(CliContext.ToJson(result));
        return interrupted && status.Outcome == "stopped" ? (int)ExitCode.Interrupted : (int)ExitCode.Finished;
    }

    private static IEnumerable<string> Summary(TrainResult result, StatusReport status)
    {
        var style = CultureInfo.InvariantCulture;
        yield return string.Create(style,
            $"{result.Outcome}: step {result.Steps} of {status.StepsTotal}, epoch {result.Epochs:0.##}, loss " +
            $"{result.FinalLoss:0.0000}, {result.SamplesPerSecond:0} samples/s, {result.Workers} workers, " +
            $"{result.Generations} generations, first step after {result.StartupSeconds:0.0} s");
        if (result.Metrics.Count > 0)
            yield return string.Join(", ",
                result.Metrics.Select(m => string.Create(style, $"{m.Key} {m.Value:0.0000}")));
        if (result.WeightsSha256 is { } hash) yield return $"weights sha256 {hash}";
    }

    private static UserException Failed(StatusReport status)
    {
        var cause = status.RootCause;
        var code = cause is not null && Enum.IsDefined((ExitCode)cause.ExitCode)
            && cause.ExitCode is >= (int)ExitCode.BadJob and <= (int)ExitCode.Accelerator
            ? (ExitCode)cause.ExitCode
            : ExitCode.JobFailed;
        return new UserException(code, cause is null
            ? "the job failed and no worker said why: see its logs with convoy logs"
            : $"{(cause.Worker.Length > 0 ? $"worker {cause.Worker}: " : "")}{cause.Text}");
    }
}
