using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Membership;

// Workers that are no members become level with them while they train (docs/protocols/learner.md): then they join
// without a transfer, or stay spare. Who cannot follow copies the state at a fence, once.
internal sealed partial class MembershipProtocol
{
    /// <summary>
    /// So many copy at a time, and no more than there are members: each lends a bounded number of copies (J5), and
    /// feeds all of them together with a share of its link.
    /// </summary>
    private const int LoadingMax = 2;

    /// <summary>
    /// Workers that are no members and could be, in the order of their ids: level ones, and those that copy at a fence.
    /// </summary>
    private List<WorkerRecord> Joinable() => Candidates().FindAll(w => IsLevel(w) || w.CopiesAtFence);

    /// <summary>It has caught up with this generation: CaughtUp of the design.</summary>
    private bool IsLevel(WorkerRecord worker) =>
        worker.Learns == Generation && worker.Learning is { Phase: LearnerPhase.Level } report
        && report.Generation == Generation.Value;

    /// <summary>They are named in Open, so that members feed them without a gap.</summary>
    private List<WorkerRecord> Learners() =>
        [.. _workers.All.Where(w => w.Connected && w.Learns != Generation.None && !w.CopiesAtFence && !IsMember(w))];

    private StateReport ReportOf(WorkerRecord worker) =>
        IsLevel(worker) ? StateReport.Nothing(worker.Id) with { Follows = true } : worker.Kept;

    private void MaybeTeach()
    {
        if (_job is null || _stop is not null || _saveOnly || _hopeless || _newest >= _until) return;
        var candidates = Candidates();
        // Whoever began goes on first: two that share one donor's link may both be too slow for it.
        var loading = candidates.Count(IsLoading);
        foreach (var worker in candidates)
        {
            if (worker.CopiesAtFence) continue;
            if (worker.Learns == Generation.None)
            {
                // Who knows more than the members is copied from, at a fence; parts of a state are copied there too.
                if (Job.Commit.Cells > 1 || worker.Kept.Step.Value > _newest.Value + 1) worker.CopiesAtFence = true;
                else if (loading++ < Math.Min(LoadingMax, _members.Count)) BeginLearning(worker);
                continue;
            }

            if (worker.Learning is null && _now - worker.LearnsSince > _clocks.LearnerChunk)
                CopyAtFence(worker, "it says nothing of what it learns");
        }
    }

    private static bool IsLoading(WorkerRecord worker) => worker.Learns != Generation.None && !worker.CopiesAtFence
        && (worker.Learning?.Phase is null or LearnerPhase.Loading);

    private void BeginLearning(WorkerRecord worker)
    {
        (worker.Learns, worker.LearnsSince, worker.Learning) = (Generation, _now, null);
        // What it brought along changes from now on; it says what it has when it is asked.
        worker.Kept = StateReport.Nothing(worker.Id);
        SendLearn(worker);
    }

    private void SendLearn(WorkerRecord worker)
    {
        worker.Learns = Generation;
        var learn = new Learn
        {
            LeaderToken = _token.Value, Generation = Generation.Value, JobId = Job.JobId, StartStep = _start.Value,
        };
        learn.Members.AddRange(_members.Select(s => SeatText(s.Record)));
        _out.Send(worker, learn);
    }

    private void OnLearnerReport(WorkerRecord worker, LearnerReport m)
    {
        if (IgnoreLearnerReport(worker, m) is { } reason)
        {
            _out.Note($"ignored LearnerReport of {worker}: {reason}");
            return;
        }

        var before = worker.Learning?.Phase;
        worker.Learning = m;
        if (before != m.Phase) _out.Note($"{worker} learns: {m.Phase} at state {m.Step}, {m.Lag} steps behind");
        if (m.Phase == LearnerPhase.TooSlow)
        {
            CopyAtFence(worker, m.Text);
        }
        else if (m.Phase == LearnerPhase.Broken)
        {
            Quarantine(worker);
            LetGo(worker, $"as a learner it came to another history: {m.Text}", mayRejoin: true);
        }
    }

    private string? IgnoreLearnerReport(WorkerRecord worker, LearnerReport m) =>
        IsMember(worker) ? "it is a member"
        : worker.Learns == Generation.None ? "it was not told to learn"
        : m.Generation != worker.Learns.Value ? $"of g{m.Generation}, it learns of {worker.Learns}"
        : null;

    /// <summary>Row 7: the members stand while it copies, for JoinStall at most, and once only.</summary>
    private void CopyAtFence(WorkerRecord worker, string why)
    {
        if (worker.CopyRefused == worker.Incarnation)
        {
            Quarantine(worker);
            LetGo(worker, $"it can neither follow nor copy in time ({why}){Needs(worker)}", mayRejoin: true);
            return;
        }

        worker.CopiesAtFence = true;
        _out.Note($"{worker} cannot follow while the members train ({why}): it copies the state at a fence");
    }

    private static string Needs(WorkerRecord worker) => worker.Learning?.NeededBytesPerSecond is > 0 and var bytes
        ? $"; its links would have to bring {bytes / 1e6:0.0} MB/s" : "";

    /// <summary>
    /// No member has state any more, but a learner may have kept the one that it came with: it greets anew and says so,
    /// before an older one is taken.
    /// </summary>
    private void CallLearnersBack()
    {
        foreach (var worker in Learners())
        {
            if (worker.Learning is not { Step: >= 0 }) continue;
            worker.MayReturnUntil = _now + _clocks.Form;
            SendEvict(worker, "no member has state any more", mayRejoin: true);
            Lose(worker, "it is asked for the state that it still has", charged: false, told: true);
        }
    }
}
