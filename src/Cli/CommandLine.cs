using System.CommandLine;
using System.CommandLine.Help;
using Convoy.Cli.Commands;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli;

/// <summary>The root of all commands: builds them, parses, runs one, and turns what goes wrong into one line.</summary>
internal static class CommandLine
{
    public static readonly Option<bool> JsonOption = new("--json")
    {
        Description = "Print the result as one JSON line on standard output; everything else goes to standard error.",
        Recursive = true,
    };

    public static async Task<int> RunAsync(string[] arguments, CliStreams streams, TimeProvider time)
    {
        var root = Build(parsed => new CliContext(streams, parsed.GetValue(JsonOption), time));
        var context = new CliContext(streams, arguments.Contains("--json", StringComparer.Ordinal), time);
        try
        {
            var result = root.Parse(arguments.Length == 0 ? ["--help"] : arguments);
            var asksForHelp = result.Action is HelpWithExamples or HelpAction;
            if (result.Errors.Count > 0 && !asksForHelp) throw UsageError(result);
            return await result.InvokeAsync(new InvocationConfiguration
            {
                Output = streams.Out,
                Error = streams.Error,
                EnableDefaultExceptionHandler = false,
                // Signals are handled by the commands that have something to save (Launch/Signals).
                ProcessTerminationTimeout = null,
            });
        }
        // The edge of the product: nothing may pass it but one line and an exit code.
        catch (Exception failure)
        {
            return Failure.Report(failure, context);
        }
    }

    /// <summary>The root with all commands.</summary>
    public static RootCommand Build(Func<ParseResult, CliContext> context)
    {
        var root = new RootCommand("Trains neural networks on many machines from .NET.") { JsonOption };
        foreach (var command in All()) root.Add(command);
        foreach (var command in Flatten(root).OfType<CliCommand>())
        {
            command.Bind(context);
            NumberText.ReadIn(command);
        }

        if (root.Options.OfType<HelpOption>().FirstOrDefault() is { Action: HelpAction usual } help)
            help.Action = new HelpWithExamples(usual);
        return root;
    }

    private static IEnumerable<Command> All() =>
    [
        new TrainCommand(),
        new CoordinatorCommand(),
        new WorkerCommand(),
        new SubmitCommand(),
        new ConfigCommand(),
        new GraphCommand(),
        new StatusCommand(),
        new HealthCommand(),
        new LogsCommand(),
        new StopCommand(),
        new ScaleCommand(),
        new ProfileCommand(),
        new InitCommand(),
        new CommandGroup("token", "Join tokens.", new TokenCreateCommand()),
        new CommandGroup("cert", "Certificates.", new CertShowCommand(), new CertRenewCommand(),
            new CertRevokeCommand(), new CertRollCommand()),
        new CommandGroup("data", "Data sets.", new DataGetCommand()),
        new CommandGroup("verify", "Check the mathematics.", new VerifyOpsCommand(), new VerifyGoldenCommand()),
        new CommandGroup("ckpt", "Checkpoints.", new CkptLsCommand(), new CkptVerifyCommand()),
        new CommandGroup("bench", "Measurements.", new BenchComputeCommand()),
        new DoctorCommand(),
        new DevicesCommand(),
        new SimCommand(),
        new VersionCommand(),
    ];

    public static IEnumerable<Command> Flatten(Command command) =>
        command.Subcommands.SelectMany(sub => Flatten(sub).Prepend(sub));

    private static UserException UsageError(ParseResult result)
    {
        // An unknown word makes several errors; the one that names the word helps most.
        var unknown = result.UnmatchedTokens.FirstOrDefault();
        var error = unknown is null ? null : result.Errors.FirstOrDefault(e => e.Message.Contains($"'{unknown}'"));
        var known = result.CommandResult.Command.Subcommands.Select(c => c.Name)
            .Concat(result.CommandResult.Command.Options.Select(o => o.Name));
        var nearest = unknown is null ? null : Spelling.Nearest(unknown, known);
        var advice = nearest is null ? "" : $" Did you mean '{nearest}'?";
        var path = string.Join(' ', Path(result.CommandResult.Command).Reverse());
        return new UserException(ExitCode.Usage,
            $"{(error ?? result.Errors[0]).Message}{advice} See: {path} --help");

        static IEnumerable<string> Path(Command command)
        {
            for (Symbol? at = command; at is not null; at = at.Parents.FirstOrDefault())
                yield return at is RootCommand ? "convoy" : at.Name;
        }
    }
}
