using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Simulation.Tests.Random;

/// <summary>What a model worker needs of its world.</summary>
internal interface IModelWorld
{
    void ToCoordinator(ModelWorker from, IMessage message);

    /// <summary>Delivered to the same process start of that worker, or lost.</summary>
    void ToPeer(ModelWorker from, int workerId, ulong incarnation, Action<ModelWorker> deliver);

    /// <summary>After a while, unless the process has died by then.</summary>
    void Later(ModelWorker who, int fromMs, int toMs, Action action);

    void Applied(ModelWorker who);

    void Exited(ModelWorker who, int code);

    (long Step, ulong Fingerprint) Checkpoint { get; }
}

/// <summary>
/// The worker's rules W1 to W7 and a data-parallel step, small enough to be read at once: partial sums go to every
/// member as owner of one chunk, owners answer with the reduced chunk, who holds all chunks applies. State is a number
/// and its hash; state t+1 is a function of state t (determinism replaces consensus).
/// </summary>
internal sealed class ModelWorker(string name, ulong incarnation, IModelWorld world)
{
    private enum Mode
    {
        Idle,
        Fenced,
        Aligning,
        Running,
    }

    private readonly List<(long G, long Step, int From)> _partials = [];
    private readonly List<(long G, long Step, int From)> _reduced = [];
    private Mode _mode;
    private Open _open = new();
    private Fence? _fence;
    private bool _retains;
    private bool _applying;
    private long _epoch;   // anything started before the last stop is void

    public string Name { get; } = name;
    public ulong Incarnation { get; } = incarnation;
    public int Id { get; private set; }
    public bool Alive { get; set; } = true;
    public bool Frozen { get; set; }
    public long Step { get; private set; } = -1;
    public ulong Fingerprint { get; private set; }
    public long Generation { get; private set; }
    public long Seen { get; private set; }
    public bool Running => Alive && _mode == Mode.Running;
    public bool Ended => Running && Step == _open.UntilStep;

    public static ulong Chain(ulong fingerprint, long step) => ((fingerprint ^ (ulong)step) * 0x9E3779B97F4A7C15) + 1;

    public Hello Hello() => new()
    {
        WorkerName = Name, Incarnation = Incarnation, Host = "host", PeerAddress = Name, GenerationSeen = Seen,
        StateStep = Step, StateFingerprint = Fingerprint, JobId = Step >= 0 ? "job" : "",
    };

    public Beat Beat() => new()
    {
        Incarnation = Incarnation, Generation = Generation, Step = Math.Max(0, Step), Phase = _mode.ToString(),
        KernelMsMax = 60,
    };

    public void Receive(IMessage message)
    {
        switch (message)
        {
            case Welcome m: Id = m.WorkerId; break;
            case Fence m when m.Generation >= Seen: OnFence(m); break;
            case Open m when m.Generation >= Seen: OnOpen(m); break;
            case Evict m: OnEvict(m); break;
            case Release m: Alive = false; world.Exited(this, m.ExitCode); break;
            case Fence or Open: world.ToCoordinator(this, new Stale { GenerationSeen = Seen }); break;
            default: break;
        }
    }

    private void OnFence(Fence m)
    {
        Seen = m.Generation;
        _fence = m;
        if (_mode == Mode.Running && m.Kind == FenceKind.Soft && Step < m.StopAt && Step < _open.UntilStep) return;
        if (!_applying) AnswerFence();
    }

    private void AnswerFence()
    {
        var fence = _fence!;
        _fence = null;
        _epoch++;
        var holds = _mode == Mode.Running && Holds();
        // A fence that follows an unfinished alignment finds what was held still held.
        if (_mode == Mode.Fenced || (_mode == Mode.Aligning && Step < _open.StartStep)) holds = Holds();
        _mode = Mode.Fenced;
        world.ToCoordinator(this, new Fenced
        {
            Generation = fence.Generation, Incarnation = Incarnation, Step = Step, Fingerprint = Fingerprint,
            HoldsNext = holds, RetainsCurrent = _retains,
        });
    }

    private bool Holds() => Step >= 0 && _open.Members.Count > 0 && AreAllIn(_reduced, Generation, Step + 1);

    private bool AreAllIn(List<(long G, long Step, int From)> pieces, long g, long step)
    {
        foreach (var member in _open.Members)
            if (!pieces.Contains((g, step, member.WorkerId))) return false;
        return true;
    }

    private void OnOpen(Open m)
    {
        var mine = m.Members.FirstOrDefault(x => x.WorkerId == Id && x.Incarnation == Incarnation);
        if (mine is null) return;
        Seen = m.Generation;
        var holder = Holds();
        (_mode, _open, _fence) = (Mode.Aligning, m, null);
        var epoch = ++_epoch;
        switch (mine.Action)
        {
            case AlignAction.Keep: Reach(m, epoch, m.StartStep == Step, Fingerprint, _retains); break;
            case AlignAction.ApplyHeld:
                world.Later(this, 1, 5,
                    () => Reach(m, epoch, holder && Step + 1 == m.StartStep, Chain(Fingerprint, m.StartStep), true));
                break;
            case AlignAction.FetchChunks: AskFor(m, mine, epoch, chunks: true); break;
            case AlignAction.LoadSnapshot: AskFor(m, mine, epoch, chunks: false); break;
            case AlignAction.LoadCheckpoint:
                world.Later(this, 50, 200,
                    () => Reach(m, epoch, world.Checkpoint.Step == m.StartStep, world.Checkpoint.Fingerprint, false));
                break;
            default: world.Later(this, 10, 50, () => Reach(m, epoch, m.StartStep == 0, 7, false)); break;
        }
    }

    private void AskFor(Open m, Member mine, long epoch, bool chunks)
    {
        var source = m.Members.First(x => x.WorkerId == mine.Source);
        world.ToPeer(this, source.WorkerId, source.Incarnation, donor => donor.Give(this, m, epoch, chunks));
    }

    /// <summary>A donor that is not there yet answers when it is.</summary>
    private void Give(ModelWorker to, Open m, long epoch, bool chunks)
    {
        if (Seen > m.Generation) return;
        var ready = Step >= m.StartStep && Generation == m.Generation;
        if (!ready)
        {
            world.Later(this, 5, 10, () => Give(to, m, epoch, chunks));
            return;
        }

        // A donor may be one step on already: what it gives is T all the same, from its snapshot or retained chunks.
        var fingerprint = Step == m.StartStep ? Fingerprint : _previous;
        world.Later(this, chunks ? 2 : 50, chunks ? 10 : 300, () => world.ToPeer(this, to.Id, to.Incarnation, w =>
            w.Reach(m, epoch, true, fingerprint, chunks)));
    }

    private ulong _previous;

    private void Reach(Open m, long epoch, bool possible, ulong fingerprint, bool retains)
    {
        if (epoch != _epoch || _mode != Mode.Aligning) return;
        if (!possible)
        {
            world.ToCoordinator(this, new AlignFailed { Generation = m.Generation, Text = "not possible here" });
            return;
        }

        (Step, Fingerprint, _retains, Generation, _mode) =
            (m.StartStep, fingerprint, retains, m.Generation, Mode.Running);
        _previous = fingerprint;
        world.ToCoordinator(this, new Aligned { Generation = Generation, Step = Step, Fingerprint = Fingerprint });
        world.Applied(this);
        Compute();
    }

    private void Compute()
    {
        if (Step >= _open.UntilStep)
        {
            if (_fence is not null) AnswerFence();
            return;
        }

        var (g, step, epoch) = (Generation, Step + 1, _epoch);
        world.Later(this, 10, 60, () =>
        {
            if (epoch != _epoch) return;
            foreach (var m in _open.Members)
                world.ToPeer(this, m.WorkerId, m.Incarnation, owner => owner.OnPartial(g, step, Id));
        });
    }

    private void OnPartial(long g, long step, int from)
    {
        if (g < Seen && g != Generation || g < Generation || _partials.Contains((g, step, from))) return;
        _partials.RemoveAll(p => p.G < Generation || (p.G == Generation && p.Step < Step));
        _partials.Add((g, step, from));
        TryReduce(g, step);
    }

    private void TryReduce(long g, long step)
    {
        if (_open.Generation != g || _mode is Mode.Fenced or Mode.Idle) return;
        if (!AreAllIn(_partials, g, step)) return;
        foreach (var m in _open.Members) world.ToPeer(this, m.WorkerId, m.Incarnation, w => w.OnReduced(g, step, Id));
    }

    private void OnReduced(long g, long step, int from)
    {
        // M9: after the answer to a fence nothing of an older generation counts; frames of a newer one wait.
        if (g < Seen && (_mode == Mode.Fenced || g != Generation) || _reduced.Contains((g, step, from))) return;
        _reduced.RemoveAll(p => (p.G < Generation && p.Step <= Step) || (p.G == Generation && p.Step < Step));
        _reduced.Add((g, step, from));
        TryApply();
    }

    private void TryApply()
    {
        if (_mode != Mode.Running || _applying || !Holds()) return;
        _applying = true;
        var epoch = _epoch;
        world.Later(this, 1, 5, () =>
        {
            _applying = false;
            if (epoch != _epoch) return;
            _previous = Fingerprint;
            (Step, Fingerprint, _retains) = (Step + 1, Chain(Fingerprint, Step + 1), true);
            world.Applied(this);
            if (_fence is { } fence
                && (fence.Kind == FenceKind.Hard || Step >= fence.StopAt || Step >= _open.UntilStep)) AnswerFence();
            else Compute();
        });
    }

    private void OnEvict(Evict m)
    {
        _epoch++;
        (_mode, _fence, _applying) = (Mode.Idle, null, false);
        _open = new Open();
        _retains = false;
        if (m.Generation > Seen) Seen = m.Generation;
        if (m.MayRejoin) world.Later(this, 20, 100, () => world.ToCoordinator(this, Hello()));
        else
        {
            Alive = false;
            world.Exited(this, 6);
        }
    }
}
