using Convoy.Actors.Remoting.Detection;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Membership;

/// <summary>
/// All that is known of one worker. Id and name stay; the rest belongs to the process behind them now (R6).
/// </summary>
internal sealed class WorkerRecord(WorkerId id, string name)
{
    public WorkerId Id { get; } = id;
    public string Name { get; } = name;

    public Incarnation Incarnation { get; private set; }
    public string Host { get; private set; } = "";
    public int Pid { get; private set; }
    public string PeerAddress { get; private set; } = "";
    /// <summary>Bytes that its machine or container gives to all processes.</summary>
    public long MemoryLimitBytes { get; private set; }

    /// <summary>Its place among the members, perhaps of a process before this one; null: it has none.</summary>
    public MemberSeat? Seat { get; set; }

    /// <summary>A process said Hello and is neither lost nor let go.</summary>
    public bool Connected { get; set; }
    public bool LinkUp { get; set; }
    public Instant LinkDownAt { get; set; }
    public string LinkEvidence { get; set; } = "";
    /// <summary>Its beats and what others say of it; a new one for each process.</summary>
    public PhiAccrualDetector Detector { get; private set; } = new(new PhiAccrualOptions());
    public Instant HeardAt => Detector.HeardAt;
    public bool Prepared { get; set; }
    /// <summary>It asked to leave, or is asked to: it gets no slices in the next generation.</summary>
    public bool Draining { get; set; }
    /// <summary>It said goodbye: its end is no failure.</summary>
    public bool Farewell { get; set; }
    /// <summary>This process may not come back: its state was found corrupt.</summary>
    public bool Barred { get; set; }
    public Instant RemindAt { get; set; }
    /// <summary>It was let go alive: until then its state is waited for before an older one is taken.</summary>
    public Instant MayReturnUntil { get; set; }
    /// <summary>Job that it came with, from a coordinator that is gone; empty: none.</summary>
    public string HeldJob { get; private set; } = "";
    /// <summary>State that it brought along, by its own account.</summary>
    public StateReport Kept { get; set; } = StateReport.Nothing(id);
    public Beat LastBeat { get; set; } = new();
    /// <summary>Generation of whose members it was last told to learn; none: it does not learn.</summary>
    public Generation Learns { get; set; }
    public Instant LearnsSince { get; set; }
    /// <summary>Its newest word as a learner; null: none yet.</summary>
    public LearnerReport? Learning { get; set; }
    /// <summary>It cannot follow: it copies the state while the members stand at a fence.</summary>
    public bool CopiesAtFence { get; set; }
    /// <summary>The process that could not even copy in time: it is not waited for again.</summary>
    public Incarnation CopyRefused { get; set; }
    /// <summary>Generations in a row that this process did not align to.</summary>
    public int AlignFailures { get; set; }

    /// <summary>Times of failures inside the flapping window.</summary>
    public List<Instant> LostAt { get; } = [];
    public int Losses { get; set; }
    public Instant QuarantinedUntil { get; set; }

    public void Begin(Hello hello, Instant now, PhiAccrualOptions detection, string jobId)
    {
        Incarnation = new Incarnation(hello.Incarnation);
        (Host, Pid, PeerAddress, MemoryLimitBytes) = (hello.Host, hello.Pid, hello.PeerAddress, hello.MemoryBytes);
        (Connected, LinkUp) = (true, true);
        DetectWith(detection, now);
        (Prepared, Draining, Farewell, Barred, AlignFailures) = (false, false, false, false, 0);
        ForgetLearning();
        HeldJob = hello.JobId;
        LastBeat = new Beat { Step = Math.Max(0, hello.StateStep), InGeneration = hello.InGeneration };
        Keep(hello, jobId);
    }

    /// <summary>It says which state it has.</summary>
    public void Keep(Hello hello, string jobId) =>
        Kept = jobId.Length > 0 && hello.JobId == jobId && hello.StateStep >= 0
            ? new StateReport(Id, new StepNumber(hello.StateStep),
                new Fingerprint(hello.StateFingerprint), false, false)
            : StateReport.Nothing(Id);

    public void ForgetLearning() => (Learns, Learning, CopiesAtFence) = (Generation.None, null, false);

    /// <summary>What was measured is forgotten: it was measured with other numbers, or of another process.</summary>
    public void DetectWith(PhiAccrualOptions detection, Instant now)
    {
        Detector = new PhiAccrualDetector(detection);
        Detector.OnHeard(now);
    }

    public override string ToString() => Id.ToString() == Name ? Name : $"{Id} ({Name})";
}
