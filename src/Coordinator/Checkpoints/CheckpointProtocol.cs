using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Checkpoints;

// Turns shards that workers have written into a published checkpoint. Workers save by themselves when a step is due
// (the coordinator is not on the path of a step); each writes its shard into the partial folder of (step, generation)
// and says so. When the set is complete the shell verifies and publishes it with one rename; only then it exists.
//
// CP-1  A save is published only when every shard of one (step, generation) is there, all with one fingerprint.
// CP-2  A step is published at most once; what comes for it later is cleared away.
// CP-3  A save that fails or is late is given up and said in one line; training goes on (R11).
// CP-4  The journal says that a checkpoint exists after the rename, never before (R10).
// CP-5  Of a generation at most Limits.SavesUnderWayMax saves are neither published nor given up: members hear of the
// end of each, and wait with the next one until they do.
internal enum SaveStatus
{
    Collecting,   // shards are arriving
    Publishing,   // complete; the shell hashes and renames it
    Published,    // it is the newest state that is safe on disk
    Abandoned,    // given up; its partial folder is cleared away
}

internal abstract record CheckpointInput;

internal sealed record ShardReported(WorkerId Worker, ShardSaved Message) : CheckpointInput;

internal sealed record ShardLost(WorkerId Worker, ShardFailed Message) : CheckpointInput;

internal sealed record PublishDone(StepNumber Step, Generation Generation, string Path) : CheckpointInput;

internal sealed record PublishFailed(StepNumber Step, Generation Generation, string Text) : CheckpointInput;

internal abstract record CheckpointEffect;

/// <summary>
/// Verify and publish; the end comes back as <see cref="PublishDone"/> or <see cref="PublishFailed"/>.
/// </summary>
internal sealed record PublishSave(Save Save) : CheckpointEffect;

/// <summary>Remove the partial folder.</summary>
internal sealed record ClearSave(StepNumber Step, Generation Generation) : CheckpointEffect;

internal sealed record SavePublished(StepNumber Step, Fingerprint Fingerprint, string Path) : CheckpointEffect;

internal sealed record SaveFailed(StepNumber Step, string Text) : CheckpointEffect;

/// <summary>Nothing of this save is waited for any more (CP-5).</summary>
/// <param name="Step">Its state.</param>
/// <param name="Generation">Whose members saved it.</param>
/// <param name="Only">Who asks late; null: all members.</param>
internal sealed record SaveIsOver(StepNumber Step, Generation Generation, WorkerId? Only = null) : CheckpointEffect;

/// <summary>One set of shards on its way.</summary>
internal sealed class Save(StepNumber step, Generation generation, int count, Fingerprint fingerprint,
    Instant startedAt)
{
    public StepNumber Step { get; } = step;
    public Generation Generation { get; } = generation;
    public Fingerprint Fingerprint { get; } = fingerprint;
    public Instant StartedAt { get; } = startedAt;
    public ShardSaved?[] Shards { get; } = new ShardSaved?[count];
    public SaveStatus Status { get; private set; } = SaveStatus.Collecting;

    public bool Complete => Array.TrueForAll(Shards, s => s is not null);

    public void Become(SaveStatus next)
    {
        Invariant.Check(TransitionTable.Allows(CheckpointProtocol.Transitions, Status, next),
            $"CP-2 no way from {Status} to {next}");
        Status = next;
    }

    public override string ToString() => $"the save of step {Step} in {Generation}";
}

internal sealed class CheckpointProtocol(ClockTable clocks, StepNumber published)
{
    public static readonly (SaveStatus From, SaveStatus To, string On)[] Transitions =
    [
        (SaveStatus.Collecting, SaveStatus.Publishing, "ShardSaved of the last missing shard"),
        (SaveStatus.Collecting, SaveStatus.Abandoned,
            "ShardFailed, fingerprints differ, the save deadline, or a newer state is published"),
        (SaveStatus.Publishing, SaveStatus.Published, "verified and renamed"),
        (SaveStatus.Publishing, SaveStatus.Abandoned, "verification or rename failed"),
    ];

    /// <summary>Saves that were given up are remembered for shards that come late: so many, the newest.</summary>
    private const int AbandonedMax = 64;

    private readonly List<Save> _saves = [];
    private Instant _now;
    private List<CheckpointEffect> _out = [];

    /// <summary>Newest state that is safe on disk; -1: none.</summary>
    public StepNumber Published { get; private set; } = published;

    public void Step(CheckpointInput input, Instant now, List<CheckpointEffect> outbox)
    {
        (_now, _out) = (now, outbox);
        switch (input)
        {
            case ShardReported m: OnShardSaved(m.Worker, m.Message); break;
            case ShardLost m: OnShardFailed(m.Worker, m.Message); break;
            case PublishDone m: OnPublishDone(m); break;
            case PublishFailed m: OnPublishFailed(m); break;
            default: throw Invariant.Unhandled(input);
        }
    }

    /// <summary>Gives up saves that did not become complete in time.</summary>
    public void Tick(Instant now, List<CheckpointEffect> outbox)
    {
        (_now, _out) = (now, outbox);
        foreach (var save in _saves.Where(s => s.Status == SaveStatus.Collecting && now - s.StartedAt > clocks.Save)
            .ToList())
        {
            var missing = Enumerable.Range(0, save.Shards.Length).Where(i => save.Shards[i] is null);
            Abandon(save,
                $"shards {string.Join(", ", missing)} of {save.Shards.Length} did not come within {clocks.Save.TotalSeconds:0} s");
        }
    }

    private void OnShardSaved(WorkerId worker, ShardSaved m)
    {
        var (step, generation) = (new StepNumber(m.Step), new Generation(m.Generation));
        if (step <= Published)
        {
            // The other members of an earlier generation have it on disk already (CP-2).
            if (!_saves.Exists(s => s.Step == step && s.Generation == generation))
                _out.Add(new ClearSave(step, generation));
            _out.Add(new SaveIsOver(step, generation, worker));
            return;
        }

        if (m.Count < 1 || m.Count > Limits.WorkersMax || (uint)m.Index >= (uint)m.Count)
        {
            _out.Add(new SaveFailed(step, $"{worker} reports shard {m.Index} of {m.Count}"));
            return;
        }

        var save = Find(step, generation);
        if (save is null)
        {
            save = new Save(step, generation, m.Count, new Fingerprint(m.Fingerprint), _now);
            _saves.Add(save);
        }

        if (save.Status == SaveStatus.Abandoned)
        {
            // It was written after the others had been cleared away.
            _out.Add(new ClearSave(step, generation));
            _out.Add(new SaveIsOver(step, generation, worker));
        }

        if (save.Status != SaveStatus.Collecting) return;
        if (save.Shards.Length != m.Count || save.Fingerprint.Value != m.Fingerprint)
        {
            Abandon(save,
                $"{worker} saved another state: fingerprint {new Fingerprint(m.Fingerprint)}, {m.Count} shards; "
                + $"the others {save.Fingerprint}, {save.Shards.Length}");
            return;
        }

        save.Shards[m.Index] = m;
        if (!save.Complete) return;
        save.Become(SaveStatus.Publishing);
        _out.Add(new PublishSave(save));
    }

    private void OnShardFailed(WorkerId worker, ShardFailed m)
    {
        var (step, generation) = (new StepNumber(m.Step), new Generation(m.Generation));
        var save = Find(step, generation);
        if (step <= Published || save is { Status: SaveStatus.Abandoned })
        {
            _out.Add(new SaveIsOver(step, generation, worker));
            return;
        }

        if (save is not null)
        {
            if (save.Status == SaveStatus.Collecting) Abandon(save, $"{worker}: {m.Text}");
            return;
        }

        // Its siblings may still report: they find the save given up.
        var failed = new Save(step, generation, 1, default, _now);
        _saves.Add(failed);
        Abandon(failed, $"{worker}: {m.Text}");
    }

    private void OnPublishDone(PublishDone m)
    {
        var save = Find(m.Step, m.Generation) ?? throw new InvariantException("CP-1 only a complete save is published");
        save.Become(SaveStatus.Published);
        if (m.Step > Published) Published = m.Step;
        _out.Add(new SavePublished(m.Step, save.Fingerprint, m.Path));
        _out.Add(new SaveIsOver(m.Step, m.Generation));
        foreach (var old in _saves.Where(s => s.Status == SaveStatus.Collecting && s.Step <= Published).ToList())
            Abandon(old, $"state {Published} is published already", quiet: true);
        // What is settled and old can send no more shards that matter.
        _saves.RemoveAll(s => s.Step < Published && s.Status is (SaveStatus.Published or SaveStatus.Abandoned));
    }

    private void OnPublishFailed(PublishFailed m)
    {
        if (Find(m.Step, m.Generation) is { Status: SaveStatus.Publishing } save) Abandon(save, m.Text);
    }

    private void Abandon(Save save, string why, bool quiet = false)
    {
        save.Become(SaveStatus.Abandoned);
        _out.Add(new ClearSave(save.Step, save.Generation));
        if (!quiet) _out.Add(new SaveFailed(save.Step, $"{save} is given up: {why}"));
        _out.Add(new SaveIsOver(save.Step, save.Generation));
        if (_saves.Count(s => s.Status == SaveStatus.Abandoned) > AbandonedMax)
            _saves.Remove(_saves.Find(s => s.Status == SaveStatus.Abandoned)!);
    }

    private Save? Find(StepNumber step, Generation generation) =>
        _saves.Find(s => s.Step == step && s.Generation == generation);
}
