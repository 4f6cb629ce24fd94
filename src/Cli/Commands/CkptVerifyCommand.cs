using System.CommandLine;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>Reads checkpoints whole and compares every hash.</summary>
internal sealed class CkptVerifyCommand : CliCommand
{
    private readonly Argument<string> _folder = CheckpointPlaceArgument.Create();

    public CkptVerifyCommand() : base("verify", "Verify every byte of checkpoints.",
        "convoy ckpt verify .convoy/chars-1", "convoy ckpt verify .convoy/chars-1 --json") => Add(_folder);

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var folder = arguments.GetValue(_folder)!;
        var store = CheckpointPlaceArgument.Store(folder);
        var places = CheckpointPlaceArgument.Places(folder);
        if (places.Count == 0) throw new UserException(ExitCode.BadCheckpoint, $"{folder}: no checkpoint there");
        var rows = places.Select(place => (place.Path, Problem: store.Verify(place.Path))).ToList();
        foreach (var (path, _) in rows.Where(row => row.Problem is null)) context.Line($"good  {path}");
        if (rows.Find(row => row.Problem is not null) is { Problem: { } problem })
            throw new UserException(ExitCode.BadCheckpoint, problem);
        context.Result(new { Ok = true, Checkpoints = rows.Select(row => row.Path) });
        return Task.FromResult(0);
    }
}
