using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Simulation.Tests.Random;

/// <summary>
/// Looks at everything that happens; throws with the invariant's id. Nothing here is known to the protocol.
/// </summary>
internal sealed class MembershipCheckers(int slices)
{
    private readonly SortedDictionary<long, ulong> _history = [];
    private readonly SortedDictionary<ulong, long> _toldTo = [];
    private Generation _journal;
    private Generation _opened;
    private Generation _openedInJournal;
    private long _highestFenced = -1;
    private Instant? _voluntaryAt;

    public long Opened { get; private set; }

    private static void Check(bool holds, string text)
    {
        if (!holds) throw new InvalidOperationException(text);
    }

    public void OnEffect(MembershipEffect effect, Instant now, IReadOnlyList<ModelWorker> alive)
    {
        switch (effect)
        {
            case Persist { Event: FencingStarted e }: OnFencing(e, now); break;
            case Persist { Event: GenerationOpened e }: OnOpened(e, alive); break;
            case Send { Message: Open m }:
                Check(m.Generation == _openedInJournal.Value,
                $"M5 Open g{m.Generation} before its record"); break;
            default: break;
        }

        if (effect is Send send) OnSend(send.Incarnation.Value, GenerationOf(send.Message));
    }

    private static long GenerationOf(IMessage message) => message switch
    {
        Fence m => m.Generation,
        Open m => m.Generation,
        _ => 0,
    };

    private void OnSend(ulong incarnation, long generation)
    {
        if (generation == 0) return;
        Check(!_toldTo.TryGetValue(incarnation, out var before) || before <= generation,
            $"M2 g{generation} after g{before}");
        _toldTo[incarnation] = generation;
    }

    private void OnFencing(FencingStarted e, Instant now)
    {
        Check(e.Generation > _journal, $"M1 {e.Generation} after {_journal}");
        _journal = e.Generation;
        _highestFenced = -1;
        if (!e.Reason.StartsWith("join", StringComparison.Ordinal)
            && !e.Reason.StartsWith("scale", StringComparison.Ordinal)) return;
        Check(_voluntaryAt is null || now - _voluntaryAt.Value >= TimeSpan.FromSeconds(5), $"M7 {e.Reason} too soon");
        _voluntaryAt = now;
    }

    public void OnFenced(Fenced m)
    {
        if (m.Generation == _journal.Value) _highestFenced = Math.Max(_highestFenced, m.Step);
    }

    private void OnOpened(GenerationOpened e, IReadOnlyList<ModelWorker> alive)
    {
        Check(e.Generation > _opened && e.Generation >= _journal, $"M1 {e.Generation} opened after {_opened}");
        (_opened, _openedInJournal, _journal) = (e.Generation, e.Generation, e.Generation);
        Opened++;
        Check(new ShareMap(slices, e.Members, e.Cuts).Check() is null, "M4 cuts");
        Check(e.Start.Value >= _highestFenced, $"S1 opened at {e.Start}, a survivor reported {_highestFenced}");
        // One step of a worker that came back may be redone; of a survivor none (the line above).
        var lost = alive.Where(w => !w.Frozen && e.Members.Contains(new WorkerId(w.Id)) && w.Step > e.Start.Value + 1)
            .ToList();
        Check(lost.Count == 0, $"S1 opened at {e.Start}, but a member has state {lost.FirstOrDefault()?.Step}");
    }

    public void OnApplied(ModelWorker worker, IReadOnlyList<ModelWorker> all)
    {
        if (_history.TryGetValue(worker.Step, out var known))
            Check(known == worker.Fingerprint, $"M6 two histories of step {worker.Step}");
        else _history.Add(worker.Step, worker.Fingerprint);
        foreach (var other in all.Where(w => w.Running && w.Generation == worker.Generation))
            Check(Math.Abs(other.Step - worker.Step) <= 1,
                $"M3 {worker.Name} at {worker.Step}, {other.Name} at {other.Step} in g{worker.Generation}");
    }
}
