using Convoy.Actors.Simulation;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// What goes through a tree arrives as it was sent: a relayed cast is one that the coordinator sent, unaltered; nobody
/// is said to have answered a cast that did not reach it; each member computes the slices that the journal deals it.
/// </summary>
internal sealed class CastsChecker : Checker
{
    private readonly SortedDictionary<(long Token, long Id), Sent> _casts = [];
    private readonly SortedDictionary<long, (string[] Members, long[] Cuts)> _generations = [];
    private readonly SortedDictionary<string, long> _entered = new(StringComparer.Ordinal);
    private readonly SortedDictionary<int, string> _names = [];

    private sealed class Sent(Cast cast, string[] members)
    {
        public Cast Cast => cast;
        public string[] Members => members;
        public SortedSet<string> Reached { get; } = new(StringComparer.Ordinal);
    }

    public override void OnAppended(long token, string type, JournalRecord record)
    {
        if (type == "worker_registered") _names[(int)record.Number("worker")] = record.Text("name");
        if (type != "generation_opened") return;
        _generations[record.Number("generation")] = (
            [.. record.Numbers("members").Select(id => _names[id])], [.. record.Numbers("cuts").Select(c => (long)c)]);
    }

    /// <summary>
    /// Positions of an open count in its own list, those of a fence in the list of the generation that it ends.
    /// </summary>
    private string[] MembersOf(Cast cast)
    {
        string[] newest = [];
        foreach (var (number, (members, _)) in _generations)
            if (number < cast.Generation || (number == cast.Generation && cast.Open is not null)) newest = members;
        return newest;
    }

    public override void OnCame(string host, Shared.Ids.Incarnation incarnation) => _entered.Remove(host);

    public override void OnProcessStarted(string host, Shared.Ids.Incarnation incarnation) => _entered.Remove(host);

    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        var host = to.Process.Host;
        if (message is Cast cast) OnCast(from.Process.Host, host, cast);
        else if (message is Open open) Enter(host, open.Generation);
        else if (message is CastAnswers answers && IsCoordinator(host)) OnAnswers(answers);
    }

    private static bool IsCoordinator(string host) =>
        host is SimulatedCluster.CoordinatorHost or SimulatedCluster.StandbyHost;

    private void Enter(string host, long generation) =>
        _entered[host] = Math.Max(generation, _entered.GetValueOrDefault(host));

    private void OnCast(string from, string host, Cast cast)
    {
        var plain = cast.Clone();
        plain.Alone = false;
        var key = (cast.LeaderToken, cast.CastId);
        if (IsCoordinator(from)) _casts.TryAdd(key, new Sent(plain, MembersOf(plain)));
        if (!_casts.TryGetValue(key, out var sent))
        {
            Fail($"{from} sends cast {key.LeaderToken}.{key.CastId} to {host}, which the coordinator never sent");
            return;
        }

        Check(sent.Cast.Equals(plain),
            $"{from} sends cast {key.LeaderToken}.{key.CastId} to {host} with another content");
        sent.Reached.Add(host);
        if (cast.Open is not null) Enter(host, cast.Generation);
    }

    private void OnAnswers(CastAnswers answers)
    {
        if (!_casts.TryGetValue((answers.LeaderToken, answers.CastId), out var sent)) return;
        foreach (var position in answers.Answers.SelectMany(a => a.Positions))
        {
            var host = position < sent.Members.Length ? sent.Members[position] : $"position {position}";
            Check(sent.Reached.Contains(host),
                $"{host} is said to answer cast {answers.LeaderToken}.{answers.CastId}, which never reached it");
        }
    }

    public override void OnRun(string host, long step, int firstSlice, IReadOnlyList<int> rows,
        IReadOnlyList<long> samples)
    {
        // The process may compute the step of an older generation to its end while a newer one is on its way to it.
        if (!_entered.TryGetValue(host, out var generation)) return;
        foreach (var (number, (members, cuts)) in _generations)
        {
            var at = Array.IndexOf(members, host);
            if (number <= generation && at >= 0 && firstSlice >= cuts[at] && firstSlice + rows.Count <= cuts[at + 1])
                return;
        }

        Fail($"{host} computes slices {firstSlice} to {firstSlice + rows.Count - 1} of step {step}, which no generation dealt it");
    }
}
