using System.Diagnostics;
using System.Globalization;
using Convoy.Shared;

namespace Convoy.Cli.Launch;

/// <summary>
/// One worker process of the local launcher: this program again, as <c>worker --join</c>. Its standard input is a pipe
/// that nobody writes: it closes when the launcher dies by any signal, and the worker then ends at once (R22).
/// It writes its own log; what it prints besides goes to a file beside it, and the last lines are kept to show a root
/// cause (R3).
/// </summary>
internal sealed class WorkerProcess : IFleetMember
{

    private readonly Process _process;
    private readonly WorkerOutput _output;
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WorkerProcess(string name, Process process, WorkerOutput output)
    {
        Name = name;
        _process = process;
        _output = output;
    }

    public string Name { get; }
    public int Pid => _process.Id;

    /// <summary>The exit code, once the process is gone and its last line is in the log.</summary>
    public Task<int> Exited => _exited.Task;

    public static WorkerProcess Start(string name, string join, int threads, string logFolder)
    {
        Directory.CreateDirectory(logFolder);
        var path = Path.Combine(logFolder, $"{name}.out.log");
        var stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete,
            bufferSize: 0); // a line that could not be written is not tried again with the next
        var output = new WorkerOutput(stream);
        var process = new Process { StartInfo = StartInfo(name, join, threads, logFolder), EnableRaisingEvents = true };
        var worker = new WorkerProcess(name, process, output);
        process.OutputDataReceived += (_, line) => output.Keep(line.Data);
        process.ErrorDataReceived += (_, line) => output.Keep(line.Data);
        if (!process.Start()) throw new UserException(ExitCode.Failed, $"worker {name} could not be started");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _ = worker.WatchAsync();
        return worker;
    }

    public string LastLines() => _output.LastLines();

    /// <summary>Ends the process at once. Asking it to leave in good order is the coordinator's business.</summary>
    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It has ended on its own: what was wanted.
        }
    }

    private static ProcessStartInfo StartInfo(string name, string join, int threads, string logFolder)
    {
        var start = OwnProgram.With([
            "worker", "--join", join, "--name", name, "--threads", threads.ToString(CultureInfo.InvariantCulture),
            "--logs", logFolder, "--end-with-parent"]);
        (start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (true, true, true);
        // More processes than cores: a pool thread that spins before it sleeps takes the core from who has the answer.
        start.Environment["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0";
        // A step leaves little garbage. By default it waits until it fills the last cache, and every worker does so:
        // measured, 8 to 12 MB each, and a peak that nobody can predict.
        start.Environment.TryAdd("DOTNET_GCgen0size", "0x200000");
        return start;
    }

    private async Task WatchAsync()
    {
        try
        {
            // Waits for the end of both streams too, so that the last lines are complete.
            await _process.WaitForExitAsync();
            _exited.TrySetResult(_process.ExitCode);
        }
        catch (Exception failure)
        {
            _exited.TrySetException(failure);
        }
    }

    public void Dispose()
    {
        _process.Dispose();
        _output.Dispose();
    }
}
