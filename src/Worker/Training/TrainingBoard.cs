using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Threading;
using Convoy.Shared.Time;
using Convoy.Worker.Hosting;

namespace Convoy.Worker.Training;

/// <summary>
/// What the heartbeat shows of the trainer, readable while the trainer or the device is busy: a worker whose device
/// hangs must still be seen, with what it hangs in.
/// </summary>
internal sealed class TrainingBoard(MachineFacts machine)
{
    private readonly OrderedLock _gate = new("the board of the training", LockRank.Record);
    private StepStatus _status;
    private Instant _since;
    private Generation _generation;
    private Generation _generationSeen;
    private StepNumber _step = new(-1);
    private Fingerprint _fingerprint;
    private LeaderToken _token;
    private string _jobId = "";
    private long _kernelMsMax;
    private Ballot? _ballot;
    private (long Memory, long Disk) _waiting;
    private IReadOnlyList<Member> _members = [];

    /// <summary>Asked whom the running step waits for.</summary>
    public ExchangeLoop? Exchange { get; set; }

    /// <summary>What a learner is at; empty: it learns nothing.</summary>
    public string Learning { get; set; } = "";

    /// <summary>Bytes in memory for learners: lent copies, queued steps.</summary>
    public long LentBytes { get; set; }

    /// <summary>Bytes that wait here for this learner: in memory, and on its disk.</summary>
    public (long Memory, long Disk) WaitingBytes
    {
        get { using (_gate.Enter()) return _waiting; }
        set { using (_gate.Enter()) _waiting = value; }
    }

    /// <summary>Whom an alignment waits for.</summary>
    public IReadOnlyList<WorkerId> Unlinked { get; set; } = [];

    public void Publish(StepProtocol protocol, Instant now)
    {
        using (_gate.Enter())
        {
            if (_status != protocol.Status || _step != protocol.State) _since = now;
            (_status, _generation, _generationSeen) = (protocol.Status, protocol.Generation, protocol.GenerationSeen);
            (_step, _fingerprint, _token, _jobId) =
                (protocol.State, protocol.Fingerprint, protocol.Token, protocol.JobId);
            (_ballot, _members) = (protocol.Ballot, protocol.Members);
        }
    }

    public void NoteKernel(long milliseconds)
    {
        using (_gate.Enter()) _kernelMsMax = Math.Max(_kernelMsMax, milliseconds);
    }

    public Beat Beat(Incarnation incarnation, LeaderToken token, Instant now)
    {
        using (_gate.Enter())
        {
            var beat = new Beat
            {
                Incarnation = incarnation.Value, Generation = _generation.Value, Step = _step.Value,
                Phase = _status.ToString(), Operation = Operation(),
                OperationMs = (long)(now - _since).TotalMilliseconds,
                MemoryBytes = machine.WorkingSet(), TokenSeen = Math.Max(token.Value, _token.Value),
                KernelMsMax = _kernelMsMax, InGeneration = InGeneration,
                CopiesBytes = LentBytes + _waiting.Memory, CopiesDiskBytes = _waiting.Disk,
                AwaitsRoom = _status == StepStatus.SaveWait,
            };
            var waitsOn = _status is StepStatus.Compute or StepStatus.Reduce ? Exchange?.WaitsOn() ?? []
                : _status == StepStatus.Aligning ? Unlinked
                : _status == StepStatus.Vote ? [.. _ballot!.Awaited().Select(at => new WorkerId(_members[at].WorkerId))]
                : [];
            foreach (var worker in waitsOn) beat.WaitsOn.Add(worker.Value);
            return beat;
        }
    }

    public void Fill(Hello hello)
    {
        using (_gate.Enter())
        {
            hello.TokenSeen = Math.Max(hello.TokenSeen, _token.Value);
            hello.GenerationSeen = _generationSeen.Value;
            hello.StateStep = _step.Value;
            hello.StateFingerprint = _fingerprint.Value;
            hello.JobId = _jobId;
            hello.InGeneration = InGeneration;
            hello.Generation = _generation.Value;
            hello.Aligned = _status is StepStatus.Compute or StepStatus.Reduce or StepStatus.Held or StepStatus.Vote
                or StepStatus.Apply or StepStatus.SaveWait or StepStatus.Closing or StepStatus.Ended;
        }
    }

    private bool InGeneration => _status is not (
        StepStatus.Idle or StepStatus.Preparing or StepStatus.Prepared or StepStatus.Leaving or StepStatus.Gone);

    private string Operation() => _status switch
    {
        StepStatus.Prepared => Learning,
        StepStatus.Preparing => "opening data, compiling the graph",
        StepStatus.Compute => $"forward and backward of step {_step.Next}",
        StepStatus.Reduce => $"gradients of step {_step.Next}",
        StepStatus.Vote => $"votes on step {_step.Next}",
        StepStatus.Apply => $"optimizer of step {_step.Next}",
        StepStatus.SaveWait => $"room for the save of step {_step}: others are not published yet",
        StepStatus.Aligning => $"links and state of {_generation}",
        StepStatus.Closing => $"last save of step {_step}",
        StepStatus.Fencing => "the device and the exchange to stop",
        _ => "",
    };
}
