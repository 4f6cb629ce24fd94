using Convoy.Cli.Simulation;
using Convoy.Shared.Protocol;

namespace Convoy.Simulation.Tests.Cluster;

// J1 to J6: each rule of learners has a bug that the checker of learners finds.
public sealed partial class PlantedBugTests
{
    [Fact]
    public void A_learner_that_computes()
    {
        var learners = new SortedSet<string>(StringComparer.Ordinal);
        Find("learners", new Plants
        {
            Begin = _ => learners.Clear(),
            Tamper = (_, to, message) =>
            {
                if (message is Learn) learners.Add(to);
                if (message is Open or Cast { Open: not null }) learners.Remove(to);
                return message;
            },
            Model = (model, host, _) => new ErringModel(model)
            {
                AfterStep = step =>
                { if (learners.Contains(host)) ((SimulatedModel)model).Job.OnRun(host, step, 0, [1], [0]); },
            },
        }, FaultKind.Kill);
    }

    [Fact]
    public void A_learner_with_another_history() => Find("learners", new Plants
    {
        Tamper = static (_, _, message) =>
        {
            if (message is LearnerReport { Step: > 0 } report) report.Fingerprint ^= 1;
            return message;
        },
    }, FaultKind.Kill);

    [Fact]
    public void A_copy_of_no_boundary() => Find("learners", new Plants
    {
        Tamper = static (_, _, message) =>
        {
            if (message is SnapOffer offer) offer.Step++;
            return message;
        },
    }, FaultKind.Kill);

    [Fact]
    public void Members_that_stand_for_a_joiner_without_an_end()
    {
        SimulatedCluster? running = null;
        var joiner = "";
        Find("learners", new Plants
        {
            Begin = cluster => (running, joiner) = (cluster, ""),
            Tamper = (from, to, message) =>
            {
                if (message is Open open && joiner.Length == 0
                    && open.Members.Any(m => m.Action == AlignAction.Replay))
                {
                    joiner = to;
                    running!.Coordinator!.Process.Time.TimersAreDead = true;
                }

                return message is Aligned && from == joiner ? null : message;
            },
        }, FaultKind.Kill);
    }

    [Fact]
    public void A_donor_that_lends_without_a_bound() => Find("learners", new Plants
    {
        Begin = static cluster => cluster.World.After(null, TimeSpan.FromSeconds(2), () =>
        {
            var all = cluster.Workers.Where(w => !w.Process.IsGone).Select(w => w.Process.Host).ToArray();
            for (var i = 1; i < all.Length; i++)
            {
                var offer = new SnapOffer { Step = 1_000 + i };
                cluster.Network.Sent!(all[0], all[i], offer);
            }
        }),
    }, FaultKind.Slow);

    [Fact]
    public void A_change_because_of_a_learner() => Find("learners", new Plants
    {
        Journal = static (journal, _) => new WatchfulJournal(journal, static _ => { })
        {
            Rewrite = static json => Lost().Replace(json, static _ => "\"lost\":[99]"),
        },
    }, FaultKind.Kill);
}
