using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Convoy.Cli.Commands;

namespace Convoy.Cli.Terminal;

/// <summary>The usual help, then examples of the command and, for the root, the exit codes.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        var command = parseResult.CommandResult.Command;
        if (command is CliCommand { Examples.Count: > 0 } withExamples)
        {
            output.WriteLine("Examples:");
            foreach (var example in withExamples.Examples) output.WriteLine($"  {example}");
        }
        if (command is RootCommand)
        {
            output.WriteLine("Exit codes:");
            foreach (var (number, meaning) in ExitCodes.Table) output.WriteLine($"  {number,3}  {meaning}");
        }
        return code;
    }
}
