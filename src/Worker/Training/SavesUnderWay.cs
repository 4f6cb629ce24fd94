using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Worker.Training;

/// <summary>
/// Saves that this worker has begun and that are not over: its own shard is not written yet (a copy is in memory), or
/// the whole is neither published nor given up (files are on the disk). Both have one bound (CP-5).
/// </summary>
internal sealed class SavesUnderWay
{
    private readonly List<Save> _saves = [];

    private sealed record Save(Generation Generation, StepNumber Step)
    {
        /// <summary>What was told of the shard; null: it is being written.</summary>
        public IMessage? End { get; set; }
        public bool IsSettled { get; set; }
    }

    public bool HasRoom => _saves.Count < Limits.SavesUnderWayMax;

    /// <summary>For the last state of a run, which need not wait for others to be published: only for memory.</summary>
    public bool HasRoomForCopy => _saves.Count(s => s.End is null) < Limits.SavesUnderWayMax;

    public int Count => _saves.Count;

    public void Begin(Generation generation, StepNumber step) => _saves.Add(new Save(generation, step));

    public void Written(Generation generation, StepNumber step, IMessage end)
    {
        if (Find(generation, step) is not { } save) return;
        save.End = end;
        if (save.IsSettled) _saves.Remove(save);
    }

    /// <summary>False: it is none of these.</summary>
    public bool Settle(Generation generation, StepNumber step)
    {
        if (Find(generation, step) is not { } save) return false;
        save.IsSettled = true;
        if (save.End is not null) _saves.Remove(save);
        return true;
    }

    /// <summary>Nobody waits for shards of older generations; the copies of some are still being written.</summary>
    public void Enter(Generation generation)
    {
        foreach (var save in _saves)
            if (save.Generation < generation) save.IsSettled = true;
        _saves.RemoveAll(s => s is { IsSettled: true, End: not null });
    }

    /// <summary>The oldest that is written and of which nothing was heard is counted no more; null: there is none.
    /// </summary>
    public StepNumber? ForgetOldest()
    {
        if (_saves.Find(s => s.End is not null) is not { } save) return null;
        _saves.Remove(save);
        return save.Step;
    }

    /// <summary>What a new leader must hear, oldest first.</summary>
    public IEnumerable<IMessage> Unsettled() => _saves.Where(s => s is { IsSettled: false, End: not null })
        .Select(s => s.End!);

    private Save? Find(Generation generation, StepNumber step) =>
        _saves.Find(s => s.Step == step && s.Generation == generation);
}
