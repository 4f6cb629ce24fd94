using Convoy.Coordinator.Api;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Jobs;

// MON-07: what operators take, measured by the workers from a user's word to the next. It changes no number, so it is
// not journaled: under the next leader nothing is measured until somebody asks again.
internal sealed partial class JobProtocol
{
    private bool _profiling;
    private bool _profiled;
    private ProfileView? _profile; // made again after the next report: status is asked for more often

    /// <summary>
    /// Operators of all workers, added up; null: nobody has asked. What was measured stays when it ends.
    /// </summary>
    public ProfileView? Profile => !_profiled ? null : _profile ??= new ProfileView
    {
        On = _profiling,
        Workers = _workers.Count(w => w.Times is not null),
        Step = _workers.Max(w => w.Times?.Step) ?? 0,
        Runs = _workers.Sum(w => w.Times?.Runs ?? 0),
        Operators = OperatorViews(),
    };

    private void OnProfileAsked(ProfileAsked m)
    {
        if (m.On && !_profiling)
            foreach (var worker in _workers) worker.Times = null;
        (_profiling, _profiled, _profile) = (m.On, _profiled || m.On, null);
        _out.Note(m.On ? "operators are timed" : "operators are timed no more");
        foreach (var worker in _workers) SendProfile(worker);
    }

    private void SendProfile(JobWorker worker) => _out.Send(worker, new Profile
    {
        LeaderToken = _description.Token.Value, JobId = _description.JobId, On = _profiling,
    });

    private void OnProfiled(JobWorker worker, Profiled m)
    {
        // A leader before this one asked for it, or the word to stop is under way.
        if (_profiling) (worker.Times, _profile) = (m, null);
        else SendProfile(worker);
    }

    private List<OperatorView> OperatorViews()
    {
        var all = _workers.SelectMany(w => w.Times?.Operators ?? []).ToList();
        var total = all.Sum(t => t.TotalMs);
        return
        [
            .. all.GroupBy(t => t.Operator, StringComparer.Ordinal).Select(g => new OperatorView
            {
                Operator = g.Key, Calls = g.Sum(t => t.Calls), TotalMs = g.Sum(t => t.TotalMs),
                MinMs = g.Min(t => t.MinMs), MaxMs = g.Max(t => t.MaxMs),
                Share = total > 0 ? g.Sum(t => t.TotalMs) / total : 0,
                GigaFlops = Rate(g.Sum(t => t.Flops), g.Sum(t => t.TotalMs)),
                GigaBytes = Rate(g.Sum(t => t.Bytes), g.Sum(t => t.TotalMs)),
            }).OrderByDescending(v => v.TotalMs).ThenBy(v => v.Operator, StringComparer.Ordinal),
        ];
    }

    private static double Rate(long count, double ms) => ms > 0 ? count / ms / 1e6 : 0;
}
