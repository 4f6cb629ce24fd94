using System.Runtime.InteropServices;
using Convoy.Shared;

namespace Convoy.Worker.Hosting;

/// <summary>Signals and standard input of a worker process. Nowhere else does the worker look at its process.</summary>
internal sealed class WorkerSignals : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly WorkerProcess _process;
    private int _asked;

    public WorkerSignals(WorkerOptions options, WorkerProcess process)
    {
        _process = process;
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            OnSignal("SIGTERM", ExitCode.GraceExpired);
        }));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            if (options.IgnoreInterrupt) return;
            OnSignal("Ctrl-C", ExitCode.Interrupted);
        }));
        if (!options.EndWithParent) return;
        new Thread(EndWithStandardInput) { IsBackground = true, Name = "convoy-parent" }.Start();
    }

    private void OnSignal(string signal, ExitCode atOnce)
    {
        if (Interlocked.Exchange(ref _asked, 1) == 1) _process.EndAtOnce($"a second {signal}", (int)atOnce);
        else _ = _process.ShutDownAsync(signal);
    }

    // The launcher holds the other end of standard input and never writes: it ends when the launcher does, kill -9
    // included.
    private static void EndWithStandardInput()
    {
        using var input = Console.OpenStandardInput();
        var buffer = new byte[256];
        try
        {
            while (input.Read(buffer) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A broken pipe says the same as its end.
        }

        Environment.Exit((int)ExitCode.Cluster);
    }

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }
}
