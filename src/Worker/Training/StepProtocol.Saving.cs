using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

// Saves: when one is due, when it waits, and the last one. Which states are saved is a matter of their numbers alone,
// so that all members save the same ones; the wait before a step changes no bit of it. While nobody leads there is
// nobody to wait for (L4): what is written waits for the next leader, and no more is saved than there is room for.
internal sealed partial class StepProtocol
{
    private readonly SavesUnderWay _saves = new();
    private bool _led = true;
    private long _unmade;          // due saves since nobody leads that there was no room for
    private bool _saveWaits;       // the save of State was neither made nor given up
    private bool _waitIsNoted;     // said once: it may come back with each save
    private bool _lastShardDue;
    private bool _lastShardEnded;

    private bool SaveDue() => saveEvery > 0 && State.Value % saveEvery == 0 && State < Until;

    /// <summary>False: the next step waits.</summary>
    private bool TrySave(StepOutbox outbox)
    {
        if (_saves.HasRoom)
        {
            Save(outbox);
        }
        else if (Status == StepStatus.Fencing)
        {
            GiveUpSave("its generation ended", outbox);
        }
        else if (!_led)
        {
            if (_unmade++ == 0)
                outbox.Note($"nobody leads: {_saves.Count} saves wait for a leader, the one of step {State} is not made");
        }
        else
        {
            Become(StepStatus.SaveWait);
            _saveWaits = true;
            outbox.Add(new AwaitRoom(Generation, State));
            if (!_waitIsNoted)
                outbox.Note($"the save of step {State} waits: {_saves.Count} are under way (said once; see save_us)");
            _waitIsNoted = true;
            return false;
        }

        return true;
    }

    private void Save(StepOutbox outbox)
    {
        _saveWaits = false;
        _saves.Begin(Generation, State);
        outbox.Add(new SaveShard(Generation, State, MyIndex, _members.Count));
    }

    private void GiveUpSave(string why, StepOutbox outbox)
    {
        _saveWaits = false;
        outbox.Tell(new ShardFailed
        {
            Generation = Generation.Value, Step = State.Value, Index = MyIndex,
            Text = $"{me} had no room for it: {_saves.Count} saves are under way, and {why}",
        });
    }

    private void CheckRoom(StepOutbox outbox)
    {
        if (Status == StepStatus.Closing) TryLastSave(outbox);
        if (Status != StepStatus.SaveWait || !_saves.HasRoom) return;
        Save(outbox);
        GoOn(outbox);
    }

    private void OnSaveSettled(SaveSettled m, StepOutbox outbox)
    {
        if (IgnoreToken(m.LeaderToken, outbox)) return;
        if (!_saves.Settle(new Generation(m.Generation), new StepNumber(m.Step)))
            outbox.Note($"SaveSettled of step {m.Step} in g{m.Generation}: it is not under way here");
        else CheckRoom(outbox);
    }

    private void OnRoomOverdue(RoomOverdue m, StepOutbox outbox)
    {
        if (Status != StepStatus.SaveWait || m.Generation != Generation || m.Step != State)
        {
            outbox.Note($"RoomOverdue of step {m.Step}: it does not wait any more");
            return;
        }

        if (_saves.ForgetOldest() is { } step)
        {
            outbox.Note($"nothing was heard of the save of step {step}: it is counted no more");
            CheckRoom(outbox);
            return;
        }

        // Not even one copy was written: this disk hangs. Training goes on (R11).
        GiveUpSave("none was written in time", outbox);
        GoOn(outbox);
    }

    private void OnCoordinatorGone(StepOutbox outbox)
    {
        _led = false;
        if (Status != StepStatus.SaveWait) { outbox.Note($"the coordinator is gone, in {Status}"); return; }
        _saveWaits = false;
        TrySave(outbox);
        GoOn(outbox);
    }

    private void OnLeader(StepOutbox outbox)
    {
        if (_unmade > 0) outbox.Note($"{_unmade} saves were due while nobody led, and not made");
        (_led, _unmade) = (true, 0);
        foreach (var end in _saves.Unsettled()) outbox.Tell(end);
    }

    private void OnShardEnded(ShardEnded m, StepOutbox outbox)
    {
        // A shard is a completed step's whatever came after it (S5), so its end is always reported.
        var end = (Google.Protobuf.IMessage?)m.Saved ?? m.Failed!;
        outbox.Tell(end);
        _saves.Written(m.Generation, m.Step, end);
        if (Status == StepStatus.Closing && !_lastShardDue && m.Step == State && m.Generation == Generation)
        {
            _lastShardEnded = true;
            CheckEnded(outbox);
        }
        else
        {
            CheckRoom(outbox);
        }
    }

    // ---- The last state ----

    private void BeginClosing(StepOutbox outbox)
    {
        Become(StepStatus.Closing);
        (_lastShardDue, _lastShardEnded, _weightsSha256) = (true, false, null);
        TryLastSave(outbox);
        outbox.Add(new HashWeights(Generation, State));
    }

    private void TryLastSave(StepOutbox outbox)
    {
        if (!_lastShardDue || !_saves.HasRoomForCopy) return;
        _lastShardDue = false;
        Save(outbox);
    }
}
