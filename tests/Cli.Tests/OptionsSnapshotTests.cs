using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.CompilerServices;
using System.Text;
using Convoy.Cli.Commands;
using Convoy.Cli.Terminal;

namespace Convoy.Cli.Tests;

// API-04: Every command and option, frozen: scripts of users depend on them. Set CONVOY_REWRITE=1 to accept a change.
public class OptionsSnapshotTests
{
    private static readonly RootCommand Root =
        CommandLine.Build(_ => throw new NotSupportedException("nothing runs here"));

    [Fact]
    public void OptionsAreAsCommitted()
    {
        var path = Path.Combine(Folder(), "cli-options.txt");
        var found = Describe();
        if (Environment.GetEnvironmentVariable("CONVOY_REWRITE") == "1") File.WriteAllText(path, found);

        Assert.Equal(File.ReadAllText(path), found, ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void EveryCommandHasExamples() =>
        Assert.All(CommandLine.Flatten(Root).OfType<CliCommand>(), command =>
        {
            Assert.NotEmpty(command.Examples);
            Assert.All(command.Examples, example => Assert.StartsWith("convoy ", example, StringComparison.Ordinal));
        });

    // An example that does not parse teaches the wrong thing.
    [Fact]
    public void EveryExampleParses() =>
        Assert.All(CommandLine.Flatten(Root).OfType<CliCommand>().SelectMany(command => command.Examples), example =>
            Assert.Empty(Root.Parse(example["convoy ".Length..].Split(" | ")[0]).Errors.Select(error =>
                $"{example}: {error.Message}")));

    [Fact]
    public async Task EveryHelpShowsItsExamples()
    {
        foreach (var command in CommandLine.Flatten(Root).OfType<CliCommand>())
        {
            var words = command.Parents.OfType<CommandGroup>().Select(group => group.Name).Append(command.Name);
            var run = await CliRun.Of([.. words, "--help"]);
            Assert.Equal(0, run.Code);
            Assert.Contains(command.Examples[0], run.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ReadmeHasTheExitCodes()
    {
        var readme = File.ReadAllText(Path.Combine(Folder(), "..", "..", "README.md"));
        foreach (var (number, meaning) in ExitCodes.Table)
            Assert.Contains($"| {number} | {meaning} |", readme, StringComparison.Ordinal);
    }

    private static string Describe()
    {
        var text = new StringBuilder();
        Append(text, Root, "convoy");
        return text.ToString();
    }

    private static void Append(StringBuilder text, Command command, string path)
    {
        var arguments = string.Concat(command.Arguments.Select(argument => $" <{argument.Name}>"));
        text.Append(path).Append(arguments).Append('\n');
        foreach (var option in command.Options.Where(option => option is not HelpOption and not VersionOption)
            .OrderBy(option => option.Name, StringComparer.Ordinal))
        {
            var names = string.Join(", ", option.Aliases.Order(StringComparer.Ordinal).Prepend(option.Name));
            text.Append("  ").Append(names).Append(" : ").Append(option.ValueType.Name).Append('\n');
        }
        foreach (var sub in command.Subcommands.OrderBy(sub => sub.Name, StringComparer.Ordinal))
            Append(text, sub, $"{path} {sub.Name}");
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
