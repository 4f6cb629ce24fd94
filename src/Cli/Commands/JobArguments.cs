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

    public readonly Option<string?> Accelerator = new("--accelerator")
    {
        Description = "What computes convolutions: none, opencl or opencl:INDEX. The key accelerator of the job.",
        HelpName = "DEVICE",
    };

    public void AddTo(Command command)
    {
        command.Add(Job);
        command.Add(Set);
        command.Add(Blas);
        command.Add(Accelerator);
    }

    public JobSpec Read(ParseResult arguments) => JobReader.ReadFile(
        arguments.GetValue(Job)!,
        [.. arguments.GetValue(Set) ?? [], .. Named("blas", arguments.GetValue(Blas)),
            .. Named("accelerator", arguments.GetValue(Accelerator))],
        Directory.GetCurrentDirectory());

    private static string[] Named(string key, string? value) => value is null ? [] : [$"{key}={value}"];
}
