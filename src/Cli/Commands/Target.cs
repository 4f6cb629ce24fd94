using System.CommandLine;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>Which run a command is about: <c>--state DIR</c>, <c>--to HOST:PORT</c>, or the newest run here.</summary>
internal sealed class Target
{
    public readonly Option<string?> State = new("--state")
    { Description = "State folder of the run.", HelpName = "DIR" };
    public readonly Option<string?> To = new("--to")
    {
        Description = "Address of the coordinator; with commas, of those that stand by too.",
        HelpName = "HOST:PORT,...",
    };

    private readonly CredentialOptions _credentials = new();
    private bool _hasJob;

    private readonly Option<string?> _job = new("--job")
    {
        Description = "Name or id of the job, where a coordinator has several.",
        HelpName = "NAME",
    };

    public void AddTo(Command command)
    {
        _credentials.AddTo(command);
        command.Add(State);
        command.Add(To);
        command.Validators.Add(result =>
        {
            if (result.GetValue(State) is not null && result.GetValue(To) is not null)
                result.AddError("Give --state or --to, not both.");
        });
    }

    /// <summary>For commands that are about one job of a coordinator.</summary>
    public void AddWithJobTo(Command command)
    {
        AddTo(command);
        command.Add(_job);
        _hasJob = true;
    }

    /// <summary>The state folder, or null when an address was given.</summary>
    public string? Folder(ParseResult arguments)
    {
        if (arguments.GetValue(To) is not null) return null;
        var folder = arguments.GetValue(State) ?? StateFolder.NewestOfAny()
            ?? throw new UserException(ExitCode.Usage,
                $"there is no run under {StateFolder.DefaultRoot}: give --state DIR or --to HOST:PORT");
        return Directory.Exists(folder)
            ? folder
            : throw new UserException(ExitCode.Usage, $"there is no state folder {Path.GetFullPath(folder)}");
    }

    public ConvoyClient Connect(ParseResult arguments, CliContext context)
    {
        var client = Folder(arguments) is { } folder
            ? _credentials.ClientOfState(arguments, context, folder)
            : _credentials.Client(arguments, context, arguments.GetValue(To)!);
        if (_hasJob) client.Job = arguments.GetValue(_job);
        return client;
    }
}
