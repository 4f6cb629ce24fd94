using System.CommandLine;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>Looks at what a job needs from this machine and says what to do about what is missing.</summary>
internal sealed class DoctorCommand : CliCommand
{
    private readonly Option<int> _port = new("--port")
    {
        Description = "Also check that this port can be listened on.",
        DefaultValueFactory = _ => 0,
    };

    private readonly Option<string> _state = new("--state")
    {
        Description = "Folder whose disk is checked.",
        DefaultValueFactory = _ => ".",
    };

    public DoctorCommand() : base("doctor", "Check versions, cores, SIMD, memory, ports, clock and disk.",
        "convoy doctor", "convoy doctor --port 7070 --state /scratch/run1")
    {
        Add(_port);
        Add(_state);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var checks = Diagnosis.All(arguments.GetValue(_port), arguments.GetValue(_state)!, context.Time);
        foreach (var check in checks)
        {
            context.Line($"{(check.Ok ? "ok  " : "FAIL")}  {check.Name,-8} {check.Found}");
            if (!check.Ok) context.Line($"      {"",-8} {check.Advice}");
        }
        var failed = checks.Count(check => !check.Ok);
        context.Line(failed == 0 ? "Ready to train." : $"{failed} of {checks.Count} checks failed.");
        context.Result(new { Ok = failed == 0, Checks = checks });
        return Task.FromResult(failed == 0 ? 0 : (int)ExitCode.Failed);
    }
}
