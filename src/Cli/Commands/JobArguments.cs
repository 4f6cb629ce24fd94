using System.CommandLine;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Commands;

/// <summary>JOB and --set, which several commands read alike.</summary>
internal sealed class JobArguments
{
    public readonly Argument<string> Job = new("JOB") { Description = "Job file (YAML)." };

    public readonly Option<string[]> Set = new("--set")
    {
        Description = "Override a key of the job, such as optimizer.lr=0.01. May be given several times.",
        HelpName = "KEY=VALUE",
        DefaultValueFactory = _ => [],
    };

    public readonly Option<string?> Blas = new("--blas")
    {
        Description = "Who multiplies matrices: managed, openblas, mkl, accelerate, atlas, or auto, which measures. "
            + "The key blas of the job.",
        HelpName = "LIBRARY",
    };

    public void AddTo(Command command)
    {
        command.Add(Job);
        command.Add(Set);
        command.Add(Blas);
    }

    public JobSpec Read(ParseResult arguments) => JobReader.ReadFile(
        arguments.GetValue(Job)!,
        [.. arguments.GetValue(Set) ?? [], .. arguments.GetValue(Blas) is { } blas ? [$"blas={blas}"] : (string[])[]],
        Directory.GetCurrentDirectory());
}
