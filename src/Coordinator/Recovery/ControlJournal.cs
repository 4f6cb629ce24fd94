using System.Text.Json;
using System.Text.Json.Serialization;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Security;
using Convoy.Shared.Threading;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Storage;

namespace Convoy.Coordinator.Recovery;

/// <summary>Another leader has the lease: nothing may be appended or told any more (4.2 row 10).</summary>
internal sealed class LeaseLostException(string text) : Exception(text);

/// <summary>
/// The events of this coordinator in the journal, as types. One stream for membership, one for each job. Thread-safe:
/// each stream has one writer, the journal itself is safe.
/// </summary>
internal sealed class ControlJournal
{
    private const string MembershipStream = "membership";
    private const string TokenStream = "tokens";
    private const string JobStreamPrefix = "job/";

    /// <summary>Names are part of the format: an event keeps its name for ever.</summary>
    private static readonly (string Name, Type Type)[] Types =
    [
        ("worker_registered", typeof(WorkerRegistered)),
        ("fencing_started", typeof(FencingStarted)),
        ("generation_opened", typeof(GenerationOpened)),
        ("membership_paused", typeof(MembershipPaused)),
        ("leader_started", typeof(LeaderStarted)),
        ("job_submitted", typeof(JobSubmitted)),
        ("job_agreed", typeof(JobAgreed)),
        ("stop_asked", typeof(StopTaken)),
        ("scale_asked", typeof(ScaleTaken)),
        ("checkpoint_published", typeof(CheckpointPublished)),
        ("job_over", typeof(JobOver)),
        ("token_created", typeof(TokenCreated)),
        ("token_used", typeof(TokenUsed)),
    ];

    private static readonly JsonSerializerOptions Options = new(ApiJson.Options)
    {
        Converters =
        {
            new IdConverter<WorkerId>(id => id.Value, value => new WorkerId((int)value)),
            new IdConverter<Generation>(id => id.Value, value => new Generation(value)),
            new IdConverter<StepNumber>(id => id.Value, value => new StepNumber(value)),
            new IdConverter<LeaderToken>(id => id.Value, value => new LeaderToken(value)),
            new IdConverter<Fingerprint>(id => (long)id.Value, value => new Fingerprint((ulong)value)),
        },
    };

    private readonly IJournal _journal;
    private readonly Lease _lease;
    private readonly List<(string Stream, long Seq)> _ends = [];
    private readonly OrderedLock _lock = new("the control journal", LockRank.Record);
    private volatile bool _handedOver;

    public ControlJournal(IJournal journal, Lease lease)
    {
        (_journal, _lease) = (journal, lease);
        foreach (var stream in journal.Streams())
            _ends.Add((stream, journal.Read(stream).Select(e => e.Seq).DefaultIfEmpty(0).Max()));
    }

    public LeaderToken Token => _lease.Token;

    public string Holder => _lease.Holder;

    /// <summary>Jobs that were ever submitted here; the next one gets the next number.</summary>
    public int JobsCount
    {
        get
        {
            using (_lock.Enter())
                return _ends.Count(e => e.Stream.StartsWith(JobStreamPrefix, StringComparison.Ordinal));
        }
    }

    /// <param name="wall">Name of the job with a membership of its own; empty: the first one's.</param>
    public MembershipHistory FoldMembership(string wall = "")
    {
        var history = new MembershipHistory();
        foreach (var e in Events<MembershipEvent>(StreamOf(wall))) history.Apply(e);
        return history;
    }

    /// <summary>Every job as its stream tells it, in the order of submission.</summary>
    public IReadOnlyList<JobHistory> FoldJobs() => [.. JobStreams().Select(FoldJob)];

    /// <summary>The job that got this number from its client (L6); null: none did.</summary>
    public JobSubmitted? FoldSubmitted(string command) =>
        FoldJobs().Select(h => h.Submitted).FirstOrDefault(s => s?.Command == command);

    /// <summary>Commands of clients that had their effect, with the job that they were about (L6).</summary>
    public IReadOnlyList<(string Command, JobSubmitted Job)> FoldCommands() =>
        [.. FoldJobs().SelectMany(h => h.Commands.Select(command => (command, h.Submitted!)))];

    private JobHistory FoldJob(string stream)
    {
        var history = new JobHistory();
        foreach (var e in Events<JobEvent>(stream)) history.Apply(e);
        return history;
    }

    /// <summary>A record that cannot be read is refused by its place: what follows it may depend on it.</summary>
    private IEnumerable<T> Events<T>(string stream) where T : class
    {
        foreach (var e in _journal.Read(stream))
        {
            T? happened;
            try
            {
                happened = Decode(e.Type, e.Json) as T;
            }
            catch (Exception broken) when (broken is JsonException or FormatException or OverflowException
                or ArgumentException or NotSupportedException)
            {
                happened = null;
            }

            yield return happened ?? throw new UserException(ExitCode.Storage,
                $"the journal is damaged: record {e.Seq} of {stream} is no {e.Type}; move journal.db* out of the state "
                + "folder, then go on with --resume from the newest checkpoint");
        }
    }

    /// <summary>Job streams end in their number: JOB-12 follows JOB-9.</summary>
    private IEnumerable<string> JobStreams() => _journal.Streams().Where(IsJob)
        .OrderBy(s => long.TryParse(s.AsSpan(s.LastIndexOf('-') + 1), out var n) ? n : 0);

    private static bool IsJob(string stream) => stream.StartsWith(JobStreamPrefix, StringComparison.Ordinal);

    public TokenLedger FoldTokens()
    {
        var ledger = new TokenLedger();
        foreach (var e in Events<TokenEvent>(TokenStream)) ledger.Apply(e);
        return ledger;
    }

    public void Append(TokenEvent happened) => AppendTo(TokenStream, happened);

    public void Append(MembershipEvent happened, string wall = "") => AppendTo(StreamOf(wall), happened);

    private static string StreamOf(string wall) => wall.Length == 0 ? MembershipStream : $"{MembershipStream}/{wall}";

    public void Append(string jobId, JobEvent happened) => AppendTo(JobStreamPrefix + jobId, happened);

    /// <summary>This leader let go of its lease: whatever of it is still running has no effect any more.</summary>
    public bool IsHandedOver => _handedOver;

    public bool Renew(TimeSpan life)
    {
        using (_lock.Enter()) return !_handedOver && _journal.Renew(_lease, life);
    }

    /// <summary>Another may lead from now on; nothing is appended or renewed here after that.</summary>
    public void HandOver()
    {
        using (_lock.Enter())
        {
            _handedOver = true;
            _journal.Release(_lease);
        }
    }

    private void AppendTo(string stream, object happened)
    {
        using (_lock.Enter())
        {
            if (_handedOver)
                throw new LeaseLostException($"the lease of {_lease.Token} was let go: another coordinator leads");
            var at = _ends.FindIndex(e => e.Stream == stream);
            var seq = at < 0 ? 0 : _ends[at].Seq;
            var result = _journal.Append(_lease, stream, seq, [Encode(happened)]);
            if (result == AppendResult.LeaseLost)
                throw new LeaseLostException($"the lease of {_lease.Token} is lost: another coordinator leads");
            Invariant.Check(result == AppendResult.Appended, "L1 a stream has one writer");
            if (at < 0) _ends.Add((stream, 1));
            else _ends[at] = (stream, seq + 1);
        }
    }

    internal static NewEvent Encode(object happened)
    {
        var at = Array.FindIndex(Types, t => t.Type == happened.GetType());
        Invariant.Check(at >= 0, "M1 every event has a name in the journal");
        return new NewEvent(Types[at].Name, JsonSerializer.Serialize(happened, Types[at].Type, Options));
    }

    internal static object Decode(string name, string json)
    {
        var at = Array.FindIndex(Types, t => t.Name == name);
        if (at < 0)
            throw new UserException(ExitCode.Cluster,
                $"the journal has an event '{name}' that this version does not know: a newer convoy wrote it");
        return JsonSerializer.Deserialize(json, Types[at].Type, Options)
            ?? throw new UserException(ExitCode.Cluster, $"the journal has an empty event '{name}'");
    }
}

/// <summary>Ids are plain numbers in the journal.</summary>
internal sealed class IdConverter<TId>(Func<TId, long> write, Func<long, TId> read) : JsonConverter<TId>
{
    public override TId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        read(reader.GetInt64());

    public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(write(value));
}
