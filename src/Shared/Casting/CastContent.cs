using Convoy.Shared.Protocol;

namespace Convoy.Shared.Casting;

/// <summary>
/// Between an Open and the short form in which it is cast: runs of equal actions and shares, and a list by its hash.
/// </summary>
public static class CastContent
{
    /// <summary>Puts what differs from member to member into runs; the list travels by itself.</summary>
    public static void Pack(Open open, Cast cast)
    {
        foreach (var member in open.Members)
        {
            if (cast.Actions.Count > 0 && cast.Actions[^1] is { } last && last.Action == member.Action
                && last.Source == member.Source)
                last.Count++;
            else cast.Actions.Add(new ActionRun { Count = 1, Action = member.Action, Source = member.Source });
        }

        for (var i = 0; i < open.Cuts.Count - 1; i++)
        {
            var slices = open.Cuts[i + 1] - open.Cuts[i];
            if (cast.Shares.Count > 0 && cast.Shares[^1].Slices == slices) cast.Shares[^1].Count++;
            else cast.Shares.Add(new ShareRun { Count = 1, Slices = slices });
        }

        cast.Open = open.Clone();
        cast.Open.Members.Clear();
        cast.Open.Cuts.Clear();
    }

    /// <summary>The Open that was packed; the cast was checked against the list.</summary>
    public static Open Unpack(Cast cast, Roster roster)
    {
        var open = cast.Open.Clone();
        foreach (var run in cast.Actions)
        {
            for (var i = 0; i < run.Count; i++)
            {
                var at = open.Members.Count;
                open.Members.Add(new Member
                {
                    WorkerId = roster.WorkerAt(at).Value, Incarnation = roster.IncarnationAt(at).Value,
                    PeerAddress = roster.AddressAt(at), Action = run.Action, Source = run.Source,
                });
            }
        }

        open.Cuts.Add(0);
        foreach (var run in cast.Shares)
            for (var i = 0; i < run.Count; i++) open.Cuts.Add(open.Cuts[^1] + run.Slices);
        return open;
    }

    /// <summary>The broken rule of a cast that names this list, or null.</summary>
    public static string? Refuse(Cast cast, Roster roster)
    {
        if (cast.FanOut is < 2 or > Limits.WorkersMax) return $"a fan-out of {cast.FanOut}";
        if ((cast.Fence is null) == (cast.Open is null)) return "neither a fence nor an open, or both";
        if ((cast.Fence?.Generation ?? cast.Open!.Generation) != cast.Generation
            || (cast.Fence?.LeaderToken ?? cast.Open!.LeaderToken) != cast.LeaderToken)
            return "its content is of another generation";
        for (var i = 0; i < cast.Gone.Count; i++)
            if (cast.Gone[i] >= roster.Count || cast.Gone[i] < 0 || (i > 0 && cast.Gone[i] <= cast.Gone[i - 1]))
                return $"gone {cast.Gone[i]} is out of order";
        if (cast.Open is null) return null;
        var (actions, shares, slices) = (0L, 0L, 0L);
        foreach (var run in cast.Actions)
        {
            if (run.Count < 1) return "an empty run of actions";
            actions += run.Count;
        }

        foreach (var run in cast.Shares)
        {
            if (run.Count < 1 || run.Slices < 0) return "a broken run of shares";
            (shares, slices) = (shares + run.Count, slices + ((long)run.Count * run.Slices));
        }

        return actions != roster.Count || shares != roster.Count
            ? $"{actions} actions and {shares} shares for {roster.Count} members"
            : slices > Limits.SlicesMax ? $"{slices} slices"
            : null;
    }
}
