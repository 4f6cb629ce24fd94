using System.CommandLine;
using Convoy.Cli.Terminal;

namespace Convoy.Cli.Commands;

/// <summary>A command with examples, which its help shows. One command, one file.</summary>
internal abstract class CliCommand(string name, string description, params string[] examples)
    : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>Runs the command. Wrong input leaves as <see cref="Shared.UserException"/>.</summary>
    protected abstract Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel);

    /// <summary>Gives the command its action; groups such as <c>data</c> have none.</summary>
    public void Bind(Func<ParseResult, CliContext> context) =>
        SetAction((arguments, cancel) => RunAsync(arguments, context(arguments), cancel));
}

/// <summary>A word that only groups commands, such as <c>ckpt</c>.</summary>
internal sealed class CommandGroup : Command
{
    public CommandGroup(string name, string description, params Command[] commands) : base(name, description)
    {
        foreach (var command in commands) Add(command);
    }
}
