using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Simulation.Tests.Membership;

/// <summary>Effects as lines; one line for a message that goes to several workers.</summary>
internal static class MembershipTrace
{
    public static IEnumerable<string> Of(IReadOnlyList<MembershipEffect> effects)
    {
        for (var i = 0; i < effects.Count; i++)
        {
            if (effects[i] is not Send send)
            {
                yield return Line(effects[i]);
                continue;
            }

            var to = new List<WorkerId> { send.To };
            while (i + 1 < effects.Count && effects[i + 1] is Send next && next.Message.Equals(send.Message))
            {
                to.Add(next.To);
                i++;
            }

            yield return $"> {string.Join(",", to.Select(w => w.Value == 0 ? "stranger" : w.ToString()))} {Text(send.Message)}";
        }
    }

    private static string Line(MembershipEffect effect) => effect switch
    {
        Persist p => "journal " + Text(p.Event),
        Note n => n.Text,
        Raise r => "news " + Text(r.News),
        Disconnect d => $"disconnect {d.Reason}",
        _ => effect.ToString(),
    };

    private static string Text(MembershipEvent e) => e switch
    {
        WorkerRegistered m => $"WorkerRegistered {m.Worker} {m.Name}",
        FencingStarted m => $"FencingStarted {m.Generation} {m.Kind} lost [{List(m.Lost)}]",
        GenerationOpened m =>
            $"GenerationOpened {m.Generation} [{List(m.Members)}] cuts {string.Join(",", m.Cuts)} T={m.Start} until={m.Until}",
        MembershipPaused m => $"MembershipPaused {m.Generation} {m.Reason}",
        _ => e.ToString(),
    };

    private static string Text(MembershipNews news) => news switch
    {
        WorkerAdmitted m => $"WorkerAdmitted {m.Worker}",
        WorkerLost m =>
            $"WorkerLost {m.Worker}{(m.WasMember ? " member" : "")}{(m.Charged ? " failure" : " no failure")}",
        GenerationBegan m => $"GenerationBegan {m.Generation}{(m.Voluntary ? " voluntary" : "")}",
        GenerationIsStable m => $"GenerationIsStable {m.Generation} [{List(m.Members)}]",
        WorkersAreWanted m => $"WorkersAreWanted {m.Count}",
        ReasonsChanged m => m.Reasons.Count == 0 ? "waits for nothing" : $"waits: {string.Join("; ", m.Reasons)}",
        _ => news.ToString(),
    };

    private static string Text(IMessage message) => message switch
    {
        Welcome m => $"Welcome w{m.WorkerId} k{m.LeaderToken}",
        Refuse m => $"Refuse {m.Reason}",
        Fence { Kind: FenceKind.Soft } m => $"Fence g{m.Generation} soft E={m.StopAt}: {m.Reason}",
        Fence m => $"Fence g{m.Generation} hard: {m.Reason}",
        Learn m => $"Learn g{m.Generation} T={m.StartStep} of {string.Join(",", m.Members.Select(x => $"w{x.WorkerId}"))}",
        Open m =>
            $"Open g{m.Generation} T={m.StartStep} until={m.UntilStep}: {string.Join(", ", m.Members.Select(Text))}",
        Evict m => $"Evict g{m.Generation}{(m.MayRejoin ? "" : " for good")}: {m.Reason}",
        Release m => $"Release {m.ExitCode}: {m.Reason}",
        _ => message.ToString() ?? "",
    };

    private static string Text(Member m) =>
        $"w{m.WorkerId} {m.Action}" + (m.Source == 0 ? "" : $" from w{m.Source}");

    private static string List(IReadOnlyList<WorkerId> workers) => string.Join(",", workers);
}
