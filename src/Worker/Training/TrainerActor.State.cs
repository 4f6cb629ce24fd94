using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Training;

// Transfers of state: asked of one peer, or given to those who ask.
internal sealed partial class TrainerActor
{
    private StateRequest? _request;
    private SpareReady? _spare;
    private bool _asked;
    private Generation _cancelled;

    private void OnSpareReady(SpareReady m)
    {
        if (m.Order.Generation == _cancelled) { Feed(new StateFailed(_cancelled, "cancelled by a fence")); return; }
        var member = _peers.Find(m.Order.Source);
        _spare = m;
        _asked = false;
        if (member is not null) AskForState();
    }

    // The link to the source may come up after the memory is there, or before.
    private void AskForState()
    {
        if (_spare is not { } spare || _asked || _peers.Find(spare.Order.Source) is not { Id: { } id } peer) return;
        _asked = true;
        IReadOnlyList<PinnedVector> vectors = spare.Spare is { } state ? state.All : [spare.Chunks!];
        _request = new StateRequest(spare.Order.Generation, spare.Order.Target, id.Incarnation, vectors);
        var self = Self;
        _states.Expect(_request, arrived => self.Tell(arrived, null));
        peer.Actor(_tag.Trainer).Tell(new NeedState
        {
            Generation = spare.Order.Generation.Value, Step = spare.Order.Target.Value,
            ChunksOnly = spare.Chunks is not null, From = _options.Me.Value,
        }, Self);
    }

    private void OnStateArrived(StateArrived m)
    {
        if (_spare is not { } spare || m.Request != _request)
        {
            Log(LogLevel.Info, $"state of {m.Request.Generation} arrived after it was given up");
            return;
        }

        (_spare, _request) = (null, null);
        if (m.Failure is null) _device.Tell(new TakeState(spare.Order, spare.Spare, spare.Chunks, m), Self);
        else Feed(new StateFailed(spare.Order.Generation, $"{spare.Order.Source}: {m.Failure}"));
    }

    private void LoseFetch(Member source, string why)
    {
        if (_spare is not { } spare || !_asked || spare.Order.Source.Value != source.WorkerId) return;
        GiveUpFetch();
        Feed(new StateFailed(spare.Order.Generation, $"its source {spare.Order.Source} is gone: {why}"));
    }

    private void OnCancelAlign(CancelAlign m)
    {
        _cancelled = m.Generation;
        if (CancelReplay(m.Generation)) return;
        // Whatever the device does by itself ends soon and answers; a transfer may never end.
        if (_spare is null) return;
        GiveUpFetch();
        Self.Tell(new StateFailed(m.Generation, "cancelled by a fence"), Self);
    }

    private void GiveUpFetch()
    {
        _states.Cancel();
        (_spare, _request) = (null, null);
    }

    private void OnServeState(ServeState m)
    {
        if (_view is not { } view || view.State.Step != m.Step) Donate(m.To, m.Generation, m.Step, []);
        else Donate(m.To, m.Generation, m.Step, m.ChunksOnly ? [view.Chunks] : view.State.All);
    }

    private void Donate(WorkerId to, Generation generation, StepNumber step, IReadOnlyList<PinnedVector> vectors)
    {
        if (_peers.Find(to) is { } peer)
            _donor.Tell(new Donate(peer, generation, step, _view?.State.Fingerprint ?? default, _view?.LossSum,
                vectors), Self);
        else
            Log(LogLevel.Info, $"{to} asked for step {step} and is gone");
    }
}
