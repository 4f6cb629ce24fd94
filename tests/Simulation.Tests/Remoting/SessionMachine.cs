using Convoy.Actors.Remoting.Session;
using Convoy.Shared.Time;
using Convoy.Simulation.Tests.Scripting;

namespace Convoy.Simulation.Tests.Remoting;

/// <summary>
/// Two ends of one session, a and b, and what is on the wire between them: <c>send</c> numbers messages and writes
/// those that may be written, <c>deliver</c> brings what the wire has, <c>cut</c> loses it with the connection.
/// </summary>
internal sealed class SessionMachine : IScriptMachine
{
    private sealed class End(string name)
    {
        public string Name { get; } = name;
        public SessionProtocol<string> Session { get; set; } = new(Limits);
        public Queue<(long Sequence, string Text)> Wire { get; } = new(); // from this end
        public long? Ack { get; set; }                                     // on the wire from this end
    }

    private static readonly SessionLimits Limits = new() { MessagesMax = 4, BytesMax = 1_000, AckEvery = 3 };

    private readonly End _a = new("a");
    private readonly End _b = new("b");
    private readonly List<string> _trace = [];
    private Instant _now = new(1_000_000);
    private int _messages;

    public IEnumerable<string> Run(ScriptCommand c)
    {
        _trace.Clear();
        switch (c.Verb)
        {
            case "connect": Connect(); break;
            case "send": Send(EndOf(c), (int)c.Number("count", 1), (int)c.Number("bytes", 10)); break;
            case "deliver": Deliver(EndOf(c)); break;
            case "duplicate": Duplicate(EndOf(c)); break;
            case "skip": EndOf(c).Wire.Dequeue(); break;
            case "acks": Acks(EndOf(c)); break;
            case "lose-acks": EndOf(c).Ack = null; break;
            case "cut": Cut(); break;
            case "restart": Restart(EndOf(c)); break;
            case "advance": Advance(c.TimeAt(0)); break;
            default: throw new FormatException($"no command '{c.Verb}'");
        }

        return _trace.ToList();
    }

    private End EndOf(ScriptCommand c) => c.Words[0] == "a" ? _a : _b;

    private End Other(End end) => end == _a ? _b : _a;

    private void Connect()
    {
        var (a, b) = (_a.Session.Received, _b.Session.Received);
        foreach (var (end, peer) in new[] { (_a, b), (_b, a) })
        {
            if (end.Session.Connect(peer) is { } error) _trace.Add($"{end.Name}: {error}");
            else _trace.Add($"{end.Name} is {end.Session.Status}, {end.Session.Waiting} wait");
        }

        Write(_a);
        Write(_b);
    }

    private void Send(End end, int count, int bytes)
    {
        for (var i = 0; i < count; i++)
        {
            var text = $"m{++_messages}";
            if (end.Session.Send(text, bytes) is { } refused)
                _trace.Add($"{end.Name}: {text} of {bytes} bytes is refused: {refused}");
        }

        Write(end);
    }

    private void Write(End end)
    {
        while (end.Session.TakeNext(_now) is { } frame)
        {
            end.Wire.Enqueue((frame.Sequence, frame.Content));
            _trace.Add($"{end.Name} writes {frame.Content} as {frame.Sequence}");
        }
    }

    private void Deliver(End from)
    {
        var to = Other(from);
        while (from.Wire.TryDequeue(out var frame)) Receive(to, frame);
        TakeAck(to);
    }

    private void Duplicate(End from)
    {
        if (from.Wire.TryPeek(out var frame)) Receive(Other(from), frame);
    }

    private void Receive(End to, (long Sequence, string Text) frame)
    {
        var verdict = to.Session.Receive(frame.Sequence, _now);
        _trace.Add($"{to.Name}: {frame.Text} ({frame.Sequence}) {verdict}");
    }

    private void TakeAck(End end)
    {
        if (end.Session.TakeAck(_now, riding: false) is not { } through) return;
        end.Ack = through;
        _trace.Add($"{end.Name} acknowledges {through}");
    }

    private void Acks(End from)
    {
        var to = Other(from);
        if (from.Ack is not { } through) return;
        from.Ack = null;
        _trace.Add(to.Session.Acknowledge(through) is { } error
            ? $"{to.Name}: {error}" : $"{to.Name}: {to.Session.Waiting} wait");
    }

    private void Cut()
    {
        foreach (var end in new[] { _a, _b })
        {
            end.Wire.Clear();
            end.Ack = null;
            end.Session.Lose(_now);
            _trace.Add($"{end.Name} is {end.Session.Status}");
        }
    }

    /// <summary>
    /// The process at this end is another one: the old session ends at the other, a new one begins at 0.
    /// </summary>
    private void Restart(End end)
    {
        foreach (var over in new[] { Other(end), end })
        {
            foreach (var frame in over.Session.End()) if (over != end)
                _trace.Add($"{over.Name}: {frame.Content} comes back as PeerRestarted");
            over.Wire.Clear();
            over.Session = new SessionProtocol<string>(Limits);
        }
    }

    private void Advance(TimeSpan by)
    {
        _now += by;
        foreach (var end in new[] { _a, _b })
        {
            TakeAck(end);
            if (!end.Session.MustEnd(_now)) continue;
            var unacknowledged = end.Session.End();
            _trace.Add($"{end.Name} is {end.Session.Status}: [{string.Join(' ', unacknowledged.Select(f => f.Content))}] come back");
        }
    }
}

public sealed class SessionScriptTests
{
    public static TheoryData<string> Names() => [.. ScriptRunner.Names("session")];

    [Theory]
    [MemberData(nameof(Names))]
    public void Script(string name) => ScriptRunner.Check(name, new SessionMachine());
}
