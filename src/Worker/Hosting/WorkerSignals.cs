using System.Runtime.InteropServices;
using Convoy.Shared;

namespace Convoy.Worker.Hosting;

/// <summary>Signals and standard input of a worker process. Nowhere else does the worker look at its process.</summary>
internal sealed class WorkerSignals : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _asked;

    public WorkerSignals(WorkerOptions options, Action drain)
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            // The second one means: now. The cluster sees a crash of somebody who had said goodbye.
            if (Interlocked.Exchange(ref _asked, 1) == 1) Environment.Exit((int)ExitCode.GraceExpired);
            drain();
        }));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            if (options.IgnoreInterrupt) return;
            if (Interlocked.Exchange(ref _asked, 1) == 1) Environment.Exit((int)ExitCode.Interrupted);
            drain();
        }));
        if (!options.EndWithParent) return;
        new Thread(EndWithStandardInput) { IsBackground = true, Name = "convoy-parent" }.Start();
    }

    // The launcher holds the other end of standard input and never writes: it ends when the launcher does, kill -9 included.
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
