using System.CommandLine;
using System.Globalization;
using Convoy.Cli.Terminal;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;

namespace Convoy.Cli.Commands;

/// <summary>Lists the published checkpoints of a run.</summary>
internal sealed class CkptLsCommand : CliCommand
{
    private readonly Argument<string> _folder = CheckpointPlaceArgument.Create();

    public CkptLsCommand() : base("ls", "List checkpoints.", "convoy ckpt ls .convoy/chars-1") => Add(_folder);

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var folder = arguments.GetValue(_folder)!;
        var store = CheckpointPlaceArgument.Store(folder);
        var rows = CheckpointPlaceArgument.Places(folder).Select(place => Row(store, place)).ToList();
        foreach (var row in rows)
            context.Line(row.Error ?? string.Create(CultureInfo.InvariantCulture,
                $"step {row.Step,-8} {row.Bytes / 1e6,9:0.0} MB  {row.Saved:u}  job {row.Job}  {row.Path}"));
        if (rows.Count == 0) context.Line($"no checkpoints in {folder}");
        context.Result(new { Checkpoints = rows });
        return Task.FromResult(0);
    }

    private static CkptRow Row(CheckpointStore store, CheckpointPlace place)
    {
        try
        {
            var manifest = store.Open(place.Path).Manifest;
            return new CkptRow(place.Step.Value, place.Path, manifest.Job.Job,
                manifest.Shards.Sum(shard => shard.Bytes),
                manifest.SavedBy.Utc, manifest.WeightsSha256, Error: null);
        }
        catch (UserException damaged)
        {
            // One damaged checkpoint must not hide the good ones; `verify` is the command that fails.
            return new CkptRow(place.Step.Value, place.Path, "", 0, default, "", damaged.Message);
        }
    }

    private sealed record CkptRow(
        long Step, string Path, string Job, long Bytes, DateTimeOffset Saved, string WeightsSha256, string? Error);
}
