using Convoy.Actors;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Recovery;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Checkpoints;

/// <summary>
/// What every manifest of this run has in common; step, generation, fingerprint and shards come with the save.
/// </summary>
internal sealed record SaveTemplate(Manifest Draft);

internal sealed record CheckpointShell(CheckpointStore Store, int Keep, MonotonicClock Clock,
    TimeProvider Time, ILogSink Log)
{
    /// <summary>Only a leader publishes or deletes: its successor may be saving in the same folder.</summary>
    public required LeaderLease Lease { get; init; }
}

/// <summary>
/// Shell of <see cref="CheckpointProtocol"/>. It works on the disk inside its handlers, on a thread of its own: hashing
/// a save delays the next save, nothing else.
/// </summary>
internal sealed class CheckpointActor : ReceiveActor, IWithTimers
{
    private const string Source = "checkpoints";
    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    private readonly CheckpointProtocol _protocol;
    private readonly CheckpointShell _shell;
    private readonly IActorRef _job;
    private SaveTemplate? _template;

    private sealed record Tick;

    public CheckpointActor(CheckpointProtocol protocol, CheckpointShell shell, IActorRef job)
    {
        (_protocol, _shell, _job) = (protocol, shell, job);
        Receive<SaveTemplate>(m => _template = m);
        Receive<CheckpointInput>(Feed);
        Receive<Tick>(_ => Run(outbox => _protocol.Tick(_shell.Clock.Now, outbox)));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer("tick", new Tick(), TickInterval);

    private void Feed(CheckpointInput input) => Run(outbox => _protocol.Step(input, _shell.Clock.Now, outbox));

    private void Run(Action<List<CheckpointEffect>> call)
    {
        var outbox = new List<CheckpointEffect>();
        call(outbox);
        foreach (var effect in outbox)
        {
            switch (effect)
            {
                case PublishSave e: Feed(Publish(e.Save)); break;
                case ClearSave e: Clear(e); break;
                case SavePublished e: _job.Tell(new StateSaved(e.Step, e.Fingerprint, e.Path)); KeepLast(); break;
                case SaveIsOver e: _job.Tell(new SaveSettles(e.Step, e.Generation, e.Only)); break;
                case SaveFailed e: _job.Tell(new SaveGivenUp(e.Step, e.Text)); break;
                default: throw Invariant.Unhandled(effect);
            }
        }
    }

    private CheckpointInput Publish(Save save)
    {
        try
        {
            var draft = (_template ?? throw new InvariantException("CP-1 a save has a manifest")).Draft with
            {
                Step = save.Step.Value,
                Generation = save.Generation.Value,
                Fingerprint = save.Fingerprint.ToString(),
                Shards = [.. save.Shards.Select(s => ShardOf(s!))],
            };
            draft = draft with
            {
                SavedBy = draft.SavedBy with { Utc = _shell.Time.GetUtcNow(), Workers = save.Shards.Length },
            };
            _shell.Lease.MustHoldNow();
            return new PublishDone(save.Step, save.Generation, _shell.Store.Publish(draft).Path);
        }
        catch (Exception e) when (e is UserException or IOException or UnauthorizedAccessException
            or LeaseLostException)
        {
            // A full or failing disk costs this save, not the job (R11).
            return new PublishFailed(save.Step, save.Generation, e.Message);
        }
    }

    private static ShardFile ShardOf(ShardSaved saved) => new()
    {
        File = saved.File, Bytes = saved.Bytes, Sha256 = Convert.ToHexStringLower(saved.Sha256.Span),
    };

    private void Clear(ClearSave e)
    {
        try
        {
            _shell.Lease.MustHoldNow();
            _shell.Store.Abandon(e.Step, e.Generation);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or LeaseLostException)
        {
            // The next start clears what is left.
            _shell.Log.Write(LogLevel.Warning, Source,
                $"the partial folder of step {e.Step} stays for now: {error.Message}");
        }
    }

    private void KeepLast()
    {
        try
        {
            _shell.Store.KeepLast(Math.Max(1, _shell.Keep));
        }
        catch (Exception e) when (e is UserException or IOException or UnauthorizedAccessException)
        {
            _shell.Log.Write(LogLevel.Warning, Source, $"an old checkpoint stays: {e.Message}");
        }
    }
}
