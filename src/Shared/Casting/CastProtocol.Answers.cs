using System.Collections;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Shared.Casting;

// The way up. Equal words of many members are one entry with their positions. A node sends what it has when everybody
// below has answered, and otherwise once in CastGather: one slow member holds up nobody else's answer.
public sealed partial class CastProtocol
{
    private List<CastAnswer> _all = [];      // of this node and all below, to be repeated to a new parent
    private List<CastAnswer> _unsent = [];
    private readonly List<int> _missed = []; // to be told above
    private BitArray _answered = new(0);
    private int _expected;
    private int _answers;
    private bool _ownDirectly;
    private Instant _gatherBy = Instant.Never;

    private void BeginAnswers(Roster roster)
    {
        ForgetAnswers();
        _expected = _cast!.Alone ? 1 : _position == Root ? roster.Count : _tree.SizeOf(_position);
        if (!_cast.Alone)
            foreach (var gone in _cast.Gone)
                if (_tree.IsAbove(_position, gone)) _expected--;
        // Most members have nobody below them.
        _answered = new BitArray(_expected > 1 ? roster.Count : 0);
    }

    private void ForgetAnswers()
    {
        (_all, _unsent) = ([], []);
        _missed.Clear();
        _below.Clear();
        (_expected, _answers, _ownDirectly, _gatherBy, _fetchBy) = (0, 0, false, Instant.Never, Instant.Never);
    }

    private void OnOwnAnswer(IMessage message)
    {
        if (_ownDirectly || !Answers(message) || Status is CastStatus.Idle or CastStatus.Fetching)
        {
            Send(Coordinator, message);
            return;
        }

        var answer = new CastAnswer();
        switch (message)
        {
            case Fenced m:
                answer.Fenced = m.Clone();
                answer.Fenced.Incarnation = 0;
                break;
            case Aligned m: answer.Aligned = m; break;
            case AlignFailed m: answer.AlignFailed = m; break;
            default: throw Invariant.Unhandled(message);
        }

        if (!Count(_position)) return;
        answer.Positions.Add(_position);
        Gather(answer);
    }

    /// <summary>Whether this is the answer to the cast that is here, not to an older word of the coordinator.</summary>
    private bool Answers(IMessage message) => message switch
    {
        Fenced m => _cast?.Fence is not null && m.Generation == _cast.Generation,
        Aligned m => _cast?.Open is not null && m.Generation == _cast.Generation,
        AlignFailed m => _cast?.Open is not null && m.Generation == _cast.Generation,
        _ => false,
    };

    private void OnAnswers(Incarnation from, CastAnswers m)
    {
        if (!IsCurrent(m.LeaderToken, m.CastId) || Status is CastStatus.Idle or CastStatus.Fetching)
        {
            Note($"answers of {from} to cast {m.LeaderToken}.{m.CastId} are ignored: it is over here");
            return;
        }

        if (_below.Find(b => b.Incarnation == from) is not { } sender)
        {
            Note($"answers of {from} are ignored: it was told nothing from here");
            return;
        }

        sender.HeardBy = Instant.Never;
        foreach (var answer in m.Answers) OnAnswer(sender, answer);
        foreach (var missed in m.Missed)
            if (IsBelow(sender, missed)) Miss(missed);
    }

    private void OnAnswer(Below sender, CastAnswer answer)
    {
        foreach (var position in answer.Positions)
        {
            if (!IsBelow(sender, position))
            {
                Note($"an answer for position {position} from {sender.Position} is ignored: it is not below it");
                return;
            }
        }

        var news = answer.Clone();
        news.Positions.Clear();
        foreach (var position in answer.Positions)
            if (Count(position)) news.Positions.Add(position);
        if (news.Positions.Count == 0) return;
        if (_position != Root) Gather(news);
        else
        {
            Report(news);
            CheckComplete();
        }
    }

    private bool IsBelow(Below sender, int position) =>
        position >= 0 && position < _tree.Count && _tree.IsAbove(sender.Position, position);

    private void Report(CastAnswer answer)
    {
        var roster = RosterOf(_cast!.RosterSha256)!;
        foreach (var position in answer.Positions)
        {
            IMessage? message = answer.Fenced ?? answer.Aligned ?? (IMessage?)answer.AlignFailed;
            if (message is null) continue;
            _outputs.Add(new CastAnswered(roster.WorkerAt(position), roster.IncarnationAt(position), message));
        }
    }

    /// <summary>False: it has answered already, by another way.</summary>
    private bool Count(int position)
    {
        if (_answered.Length > 0 ? _answered[position] : _answers > 0) return false;
        if (_answered.Length > 0) _answered[position] = true;
        _answers++;
        return true;
    }

    private void Gather(CastAnswer answer)
    {
        Merge(_all, answer);
        Merge(_unsent, answer);
        if (!CheckComplete()) GatherUntil(_now + _clocks.CastGather);
    }

    private static void Merge(List<CastAnswer> into, CastAnswer answer)
    {
        foreach (var known in into)
        {
            if (!Equals(known.Fenced, answer.Fenced) || !Equals(known.Aligned, answer.Aligned)
                || !Equals(known.AlignFailed, answer.AlignFailed)) continue;
            known.Positions.AddRange(answer.Positions);
            return;
        }

        into.Add(answer.Clone());
    }

    /// <summary>True: everybody has answered, and what was gathered is sent.</summary>
    private bool CheckComplete()
    {
        if (_answers < _expected) return false;
        if (Status == CastStatus.Casting) Become(CastStatus.Complete);
        Flush();
        return true;
    }

    private void Miss(int position)
    {
        if (_answered.Length == 0 || !_answered[position]) _expected--;
        if (_position == Root)
        {
            // The coordinator has a link of its own to everybody who is alive.
            var roster = RosterOf(_cast!.RosterSha256)!;
            TellAlone(position, roster);
            return;
        }

        _missed.Add(position);
        GatherUntil(_now);
    }

    /// <summary>Those of the list who have not answered are asked by the coordinator itself.</summary>
    private void OnAskSilent()
    {
        if (_position != Root || Status != CastStatus.Casting) return;
        var roster = RosterOf(_cast!.RosterSha256)!;
        for (var position = 0; position < roster.Count; position++)
            if (!IsGone(position) && (_answered.Length == 0 || !_answered[position])) TellAlone(position, roster);
    }

    private void TellAlone(int position, Roster roster)
    {
        var incarnation = roster.IncarnationAt(position);
        if (!_links.IsUp(incarnation) || _below.Exists(b => b.Alone && b.Position == position)) return;
        Tell(new Below(position, incarnation) { Alone = true }, roster);
    }

    private void GatherUntil(Instant by)
    {
        if (by < _gatherBy) _gatherBy = by;
    }

    private void Flush()
    {
        _gatherBy = Instant.Never;
        if (_position == Root || (_unsent.Count == 0 && _missed.Count == 0)) return;
        SendAnswers(_unsent, _missed);
        _unsent = [];
        _missed.Clear();
    }

    private void SendAnswers(List<CastAnswer> answers, List<int> missed)
    {
        var message = new CastAnswers { LeaderToken = _cast!.LeaderToken, CastId = _cast.CastId };
        message.Answers.AddRange(answers);
        message.Missed.AddRange(missed);
        Send(_parent, message);
    }

    private void RepeatAnswers()
    {
        (_unsent, _gatherBy) = ([], Instant.Never);
        if (_all.Count == 0 && _missed.Count == 0) return;
        SendAnswers([.. _all.Select(static a => a.Clone())], _missed);
        _missed.Clear();
    }
}
