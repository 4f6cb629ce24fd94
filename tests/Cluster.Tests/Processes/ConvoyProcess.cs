using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Convoy.Cli.Commands;

namespace Convoy.Cluster.Tests.Processes;

/// <summary>What a finished command left behind.</summary>
internal sealed record Ended(int Code, string Out, string Error)
{
    public string LastLine => Out.TrimEnd().Split('\n')[^1];

    public JsonElement Json => JsonDocument.Parse(LastLine).RootElement;

    public override string ToString() => $"exit {Code}\n--- out\n{Out}\n--- error\n{Error}";
}

/// <summary>
/// The built command as a process of its own, as a user starts it. Killed at the end of the test, whatever happens.
/// </summary>
internal sealed class ConvoyProcess : IDisposable
{
    /// <summary>Longest life of one command in a test; every wait ends before.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly StringBuilder _out = new();
    private readonly StringBuilder _error = new();

    private ConvoyProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(_out, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        Pid = process.Id;
    }

    public int Pid { get; }

    public bool HasEnded => _process.HasExited;

    /// <summary>Of a process that has ended.</summary>
    public int ExitCode => _process.ExitCode;

    public static ConvoyProcess Start(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(typeof(CliCommand).Assembly.Location);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return new ConvoyProcess(new Process { StartInfo = start });
    }

    public static async Task<Ended> RunAsync(string folder, params string[] arguments)
    {
        using var process = Start(folder, arguments);
        return await process.EndAsync();
    }

    public async Task<Ended> EndAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException(
                $"no end after {Deadline}: {_process.StartInfo.ArgumentList[2]}\n{Snapshot(-1)}");
        }
        return Snapshot(_process.ExitCode);
    }

    public void Kill9() => _process.Kill();

    public void Terminate() => Signal.Terminate(Pid);

    public Ended Snapshot(int code)
    {
        lock (_out) return new Ended(code, _out.ToString(), _error.ToString());
    }

    private void Append(StringBuilder text, string? line)
    {
        if (line is null) return;
        lock (_out) text.Append(line).Append('\n');
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
