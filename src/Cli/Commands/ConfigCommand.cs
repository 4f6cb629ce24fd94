using System.CommandLine;
using System.Text.Json.Nodes;
using Convoy.Cli.Terminal;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Commands;

/// <summary>Checks a job file, prints the effective job, or lists every key.</summary>
internal sealed class ConfigCommand : CliCommand
{
    private readonly JobArguments _job = new();
    private readonly Option<bool> _print = new("--print")
    {
        Description = "Print the effective job: with defaults and overrides, paths made absolute.",
    };
    private readonly Option<bool> _keys = new("--keys")
    {
        Description = "List every key with type, default, range and meaning.",
    };

    public ConfigCommand() : base("config", "Check a job file; print the effective job or every key.",
        "convoy config examples/digits-mlp.yaml",
        "convoy config --print examples/digits-mlp.yaml --set optimizer.lr=0.01",
        "convoy config --keys")
    {
        _job.AddTo(this);
        _job.Job.Arity = ArgumentArity.ZeroOrOne;
        Add(_print);
        Add(_keys);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        if (arguments.GetValue(_keys)) return Task.FromResult(Keys(context));
        if (arguments.GetValue(_job.Job) is null)
            throw new UserException(ExitCode.Usage, "config needs a job file, or --keys. See: convoy config --help");
        var job = _job.Read(arguments);
        if (arguments.GetValue(_print)) context.Line(JobPrinter.ToYaml(job).TrimEnd());
        else
            context.Line(
                $"{arguments.GetValue(_job.Job)}: job '{job.Job}' is well formed; --print shows what it means");
        context.Result(JsonNode.Parse(JobJson.Write(job))!);
        return Task.FromResult(0);
    }

    private static int Keys(CliContext context)
    {
        foreach (var key in JobSchema.Keys)
        {
            var range = key.Range.Length > 0 ? $", {key.Range}" : "";
            context.Line($"{key.Path,-28} {key.Type}{range}; default: {key.Default}");
            context.Line($"{"",-28} {key.Doc}{(key.UsedWhen.Length > 0 ? $" Only where {key.UsedWhen}." : "")}");
        }
        context.Result(new
        {
            Keys = JobSchema.Keys.Select(key =>
                new { key.Path, key.Type, key.Default, key.Range, key.Doc, key.UsedWhen }),
        });
        return 0;
    }
}
