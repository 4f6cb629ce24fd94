using System.CommandLine;
using Convoy.Cli.Data;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>Downloads a known data set, with pinned hashes.</summary>
internal sealed class DataGetCommand : CliCommand
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private readonly Argument<string> _name = new("NAME")
    {
        Description = $"Data set: {string.Join(", ", Catalogue.Sets.Select(set => set.Name))}.",
    };
    private readonly Option<string> _into = new("--into")
    {
        Description = "Folder for the files.",
        HelpName = "DIR",
        DefaultValueFactory = _ => "data",
    };

    public DataGetCommand() : base("get", "Download a known data set with a pinned SHA-256; a broken download goes on.",
        "convoy data get optdigits", "convoy data get shakespeare --into /scratch/data")
    {
        Add(_name);
        Add(_into);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var name = arguments.GetValue(_name)!;
        var set = Catalogue.Sets.FirstOrDefault(set => set.Name == name);
        if (set.Files is null)
            throw new UserException(ExitCode.Usage,
                $"there is no data set '{name}': known are {string.Join(", ", Catalogue.Sets.Select(s => s.Name))}");
        var folder = Path.GetFullPath(arguments.GetValue(_into)!);
        using var http = new HttpClient(new SocketsHttpHandler { ConnectTimeout = ConnectTimeout });
        var download = new Download(http, folder);
        context.Line($"{set.Name}: {set.What}");
        foreach (var file in set.Files)
        {
            var fetched = await download.GetAsync(file, cancel);
            context.Line($"  {Path.Combine(folder, file.Name)}: {(fetched ? "downloaded" : "already there")}");
        }
        context.Result(new { set.Name, Files = set.Files.Select(file => Path.Combine(folder, file.Name)) });
        return 0;
    }
}
