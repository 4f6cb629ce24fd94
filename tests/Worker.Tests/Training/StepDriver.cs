using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Training;
using Google.Protobuf;

namespace Convoy.Worker.Tests.Training;

/// <summary>
/// Worker 1 of a few, driven by hand: says what the coordinator, the device and the exchange would say.
/// </summary>
internal sealed class StepDriver
{
    private readonly StepOutbox _outbox = new();

    public StepDriver(long saveEvery = 0, int me = 1)
    {
        Me = me;
        Protocol = new StepProtocol(new WorkerId(me), IncarnationOf(me), saveEvery);
    }

    public StepProtocol Protocol { get; }

    public int Me { get; }

    public List<StepOutput> Last { get; } = [];

    public List<StepOutput> All { get; } = [];

    public StepStatus Status => Protocol.Status;

    public IEnumerable<IMessage> Told => Last.OfType<TellCoordinator>().Select(t => t.Message);

    public static Incarnation IncarnationOf(int worker) => new(100UL + (ulong)worker);

    /// <summary>H of a step; the same for everybody whose history is the same.</summary>
    public static Fingerprint H(long step) => new(0xF00UL + (ulong)step);

    public StepDriver Do(object message)
    {
        Last.Clear();
        Protocol.Step(message, _outbox);
        Last.AddRange(_outbox.Outputs);
        All.AddRange(_outbox.Outputs);
        _outbox.Clear();
        return this;
    }

    public T Only<T>() => Last.OfType<T>().Single();

    public T Tells<T>() where T : IMessage => Told.OfType<T>().Single();

    public string Noted => string.Join("; ", Last.OfType<Note>().Select(n => n.Text));

    public StepDriver Prepare() => Do(new Assign { JobId = "j", LeaderToken = 1 })
        .Do(new JobPrepared(new Ready { JobId = "j" }));

    public static Open OpenOf(long generation, long start, long until, AlignAction action,
        int members = 3, long token = 1,
        int source = 0, ulong fingerprint = 0, int firstMember = 1)
    {
        var open = new Open
        {
            LeaderToken = token, Generation = generation, JobId = "j", StartStep = start, UntilStep = until,
            StartFingerprint = fingerprint,
        };
        for (var i = 0; i < members; i++)
        {
            var id = firstMember + i;
            open.Members.Add(new Member
            {
                WorkerId = id, Incarnation = IncarnationOf(id).Value, PeerAddress = $"127.0.0.1:{9000 + id}",
                Action = action, Source = source,
            });
        }

        open.Cuts.AddRange(Enumerable.Range(0, members + 1).Select(i => 8 * i / members));
        return open;
    }

    public StepDriver Aligning(long generation = 1, long start = 0, long until = 10,
        AlignAction action = AlignAction.Initialize, int members = 3) =>
        Prepare().Do(OpenOf(generation, start, until, action, members));

    /// <summary>In Compute of step start+1.</summary>
    public StepDriver Running(long generation = 1, long start = 0, long until = 10, int members = 3) =>
        Aligning(generation, start, until, members: members)
            .Do(new PeersLinked(new Generation(generation)))
            .Do(new StateReady(new Generation(generation), new StepNumber(start), H(start), false));

    /// <summary>In Compute of step start+1 of a generation that commits unanimously.</summary>
    public StepDriver Unanimous(long generation, long start, int members, int fanOut, bool prepare = true)
    {
        if (prepare) Prepare();
        var open = OpenOf(generation, start, 10, prepare ? AlignAction.Initialize : AlignAction.Keep, members);
        (open.Commit, open.VoteFanOut) = (CommitRule.Unanimous, fanOut);
        Do(open).Do(new StateReady(new Generation(generation), new StepNumber(start), H(start), false));
        return members == 1 ? this : Do(new PeersLinked(new Generation(generation)));
    }

    public StepDriver Computed() => Do(new StepComputed(Protocol.Generation, Protocol.State.Next));

    public StepDriver Held() => Do(new StepHeld(Protocol.Generation, Protocol.State.Next));

    public StepDriver Applied() =>
        Do(new StepApplied(Protocol.Generation, Protocol.State.Next, H(Protocol.State.Next.Value)));

    public StepDriver OneStep() => Computed().Held().Applied();

    public StepDriver Fence(long generation, FenceKind kind = FenceKind.Hard, long stopAt = 0, long token = 1) =>
        Do(new Fence { LeaderToken = token, Generation = generation, Kind = kind, StopAt = stopAt });

    public StepDriver Stopped() => Do(new ExchangeStopped(Protocol.Generation));

    /// <summary>The shard of this state is written, and the whole published.</summary>
    public StepDriver SaveIsOver(long step) => Written(step).Settled(step);

    public StepDriver Written(long step) => Do(new ShardEnded(Protocol.Generation, new StepNumber(step),
        new ShardSaved { Generation = Protocol.Generation.Value, Step = step }, null));

    public StepDriver Settled(long step) =>
        Do(new SaveSettled { LeaderToken = 1, Generation = Protocol.Generation.Value, Step = step });

    public static StepDriver In(StepStatus status)
    {
        var d = new StepDriver();
        return status switch
        {
            StepStatus.Idle => d,
            StepStatus.Preparing => d.Do(new Assign { JobId = "j", LeaderToken = 1 }),
            StepStatus.Prepared => d.Prepare(),
            StepStatus.Fencing => d.Running().Fence(2),
            StepStatus.Fenced => d.Running().Fence(2).Computed2().Stopped(),
            StepStatus.Aligning => d.Aligning(),
            StepStatus.Compute => d.Running(),
            StepStatus.Reduce => d.Running().Computed(),
            StepStatus.Vote => d.Unanimous(1, 0, 3, 0).Computed().Held(),
            StepStatus.Apply => d.Running().Computed().Held(),
            StepStatus.SaveWait => new StepDriver(saveEvery: 1).Running().OneStep().OneStep().OneStep(),
            StepStatus.Closing => d.Running(start: 10),
            StepStatus.Ended => d.Running(start: 10).Closed(),
            StepStatus.Leaving => d.Running().Do(new Release { LeaderToken = 1 }),
            StepStatus.Gone => d.Running().Do(new Release { LeaderToken = 1 }).Do(new WorkStopped()),
            _ => throw new ArgumentOutOfRangeException(nameof(status)),
        };
    }

    public StepDriver Closed() =>
        Do(new ShardEnded(Protocol.Generation, Protocol.State, new ShardSaved { Step = Protocol.State.Value }, null))
            .Do(new WeightsHashed(Protocol.Generation, Protocol.State, new byte[32]));

    private StepDriver Computed2() => Do(new StepComputed(Protocol.Generation, Protocol.State.Next));
}
