using Convoy.Actors.Remoting.Session;
using Convoy.Shared;
using Convoy.Shared.Time;

namespace Convoy.Actors.Tests.Remoting;

public sealed class SessionProtocolTests
{
    private static readonly Instant T0 = new(1_000_000);

    private readonly SessionProtocol<string> _a = new(new SessionLimits { MessagesMax = 5_000, BytesMax = 1_000_000 });
    private readonly SessionProtocol<string> _b = new(new SessionLimits());
    private readonly List<string> _delivered = [];

    [Fact]
    public void Messages_wait_until_the_first_connection_and_then_flow_in_order()
    {
        Send("one", "two");
        Assert.Null(_a.TakeNext(T0));
        Connect();
        Flow();
        Assert.Equal(["one", "two"], _delivered);
    }

    [Fact] // SE-2, scenario 12
    public void After_a_lost_acknowledgement_what_was_sent_again_is_delivered_once_and_confirmed_again()
    {
        Connect();
        Send("one", "two");
        Flow();
        Assert.Equal(2, _b.TakeAck(T0, riding: true)); // on its way when the connection breaks
        Break();
        Send("three");
        // The greeting crossed with the loss: a believes that nothing arrived.
        Assert.Null(_a.Connect(0));
        Assert.Null(_b.Connect(0));
        Flow();
        Assert.Equal(["one", "two", "three"], _delivered);
        Assert.Equal(3, _b.TakeAck(T0, riding: true));
        Assert.Null(_a.Acknowledge(3));
        Assert.Equal(0, _a.Waiting);
    }

    [Fact] // SE-2
    public void A_duplicate_alone_is_confirmed_again()
    {
        Connect();
        Send("one");
        Flow();
        Assert.Equal(1, _b.TakeAck(T0, riding: true));
        Assert.Null(_b.TakeAck(T0, riding: true));
        Assert.Equal(ReceiveVerdict.Duplicate, _b.Receive(1, T0));
        Assert.Equal(1, _b.TakeAck(T0, riding: true));
    }

    [Fact] // SE-1
    public void A_resumed_session_goes_on_where_the_peer_is()
    {
        Connect();
        Send("one", "two", "three");
        Deliver(_a.TakeNext(T0)!.Value);
        _a.TakeNext(T0); // written, lost with the connection
        Break();
        Assert.Null(_a.Connect(_b.Received));
        Assert.Null(_b.Connect(0));
        Flow();
        Assert.Equal(["one", "two", "three"], _delivered);
        Assert.Equal(2, _a.Waiting);
    }

    [Fact] // SE-4: the peer restarted, or the grace is over
    public void The_end_hands_back_what_was_never_confirmed_oldest_first()
    {
        Connect();
        Send("one", "two", "three");
        Deliver(_a.TakeNext(T0)!.Value);
        Assert.Null(_a.Acknowledge(1));
        _a.Lose(T0);
        Assert.False(_a.MustEnd(T0 + TimeSpan.FromMilliseconds(149)));
        Assert.True(_a.MustEnd(T0 + TimeSpan.FromMilliseconds(150)));
        Assert.Equal(["two", "three"], _a.End().Select(f => f.Content));
        Assert.Equal(UndeliverableReason.LinkDown, _a.Send("four", 1));
        Assert.Empty(_a.End());
        Assert.Equal((0, 0L), (_a.Waiting, _a.WaitingBytes));
    }

    [Fact] // SE-3
    public void Impossible_numbers_are_protocol_errors()
    {
        Connect();
        Send("one");
        Assert.Equal(ReceiveVerdict.Gap, _b.Receive(2, T0));
        Assert.Contains("SE-3", _a.Acknowledge(1), StringComparison.Ordinal); // not sent yet
        Flow();
        Assert.Null(_a.Acknowledge(1));
        Assert.Contains("SE-3", _a.Acknowledge(2), StringComparison.Ordinal);
        Assert.Null(_a.Acknowledge(0)); // old news
        Break();
        Assert.Contains("SE-3", _a.Connect(0), StringComparison.Ordinal); // the peer forgot what it had confirmed
    }

    [Fact] // SE-5
    public void What_waits_is_bounded_in_messages_and_bytes()
    {
        for (var i = 0; i < 5_000; i++) Assert.Null(_a.Send("m", 1));
        Assert.Equal(UndeliverableReason.LinkFull, _a.Send("m", 1));
        Assert.Null(_b.Send("large alone", 500_000_000));
        Assert.Equal(UndeliverableReason.LinkFull, _b.Send("small behind it", 1));
    }

    [Fact]
    public void A_confirmation_is_due_after_64_messages_or_20_ms()
    {
        Connect();
        for (var i = 1; i <= 63; i++) _b.Receive(i, T0);
        Assert.False(_b.AckIsDue(T0 + TimeSpan.FromMilliseconds(19)));
        Assert.Equal(T0 + TimeSpan.FromMilliseconds(20), _b.NextDeadline);
        Assert.True(_b.AckIsDue(T0 + TimeSpan.FromMilliseconds(20)));
        _b.Receive(64, T0 + TimeSpan.FromMilliseconds(1));
        Assert.True(_b.AckIsDue(T0 + TimeSpan.FromMilliseconds(1)));
        Assert.Equal(64, _b.TakeAck(T0 + TimeSpan.FromMilliseconds(1), riding: false));
        Assert.Equal(Instant.Never, _b.NextDeadline);
    }

    [Fact]
    public void A_connected_peer_that_never_confirms_is_given_up()
    {
        Connect();
        Send("one");
        Assert.Equal(Instant.Never, _a.NextDeadline);
        _a.TakeNext(T0);
        Assert.False(_a.MustEnd(T0 + TimeSpan.FromMilliseconds(4_999)));
        Assert.True(_a.MustEnd(T0 + TimeSpan.FromSeconds(5)));
    }

    [Fact] // SE-0
    public void Only_the_transitions_of_the_table_happen()
    {
        Assert.Throws<InvariantException>(() =>
        {
            Connect();
            _a.Connect(0);
        });
        _a.End();
        Assert.Throws<InvariantException>(() => _a.Connect(0));
    }

    [Theory] // SE-1, SE-2, SE-4 over many histories: each message once, in order, and none forgotten
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_history_of_losses_delivers_each_message_once_and_in_order(int seed)
    {
        var state = (ulong)seed;
        int Next(int below)
        {
            state = state * 6364136223846793005 + 1442695040888963407;
            return (int)((state >> 33) % (ulong)below);
        }

        Connect();
        var sent = 0;
        var wire = new Queue<SessionFrame<string>>();
        for (var step = 0; step < 20_000; step++)
        {
            switch (Next(8))
            {
                case 0 or 1: if (_a.Send($"{sent}", 1) is null) sent++; break;
                case 2 or 3: if (_a.TakeNext(T0) is { } next) wire.Enqueue(next); break;
                case 4 or 5: if (wire.TryDequeue(out var frame)) Deliver(frame); break;
                case 6:
                    if (_b.TakeAck(T0, riding: true) is { } ack && Next(3) > 0) Assert.Null(_a.Acknowledge(ack));
                    break;
                default:
                    if (Next(20) > 0) break;
                    wire.Clear();
                    Break();
                    Assert.Null(_a.Connect(_b.Received));
                    Assert.Null(_b.Connect(0));
                    break;
            }
        }

        while (wire.TryDequeue(out var left)) Deliver(left);
        Flow();
        Assert.Equal(Enumerable.Range(0, sent).Select(i => $"{i}"), _delivered);
    }

    private void Send(params string[] messages)
    {
        foreach (var message in messages) Assert.Null(_a.Send(message, message.Length));
    }

    private void Connect()
    {
        Assert.Null(_a.Connect(0));
        Assert.Null(_b.Connect(0));
    }

    private void Break()
    {
        _a.Lose(T0);
        _b.Lose(T0);
    }

    private void Flow()
    {
        while (_a.TakeNext(T0) is { } frame) Deliver(frame);
    }

    private void Deliver(SessionFrame<string> frame)
    {
        if (_b.Receive(frame.Sequence, T0) == ReceiveVerdict.Deliver) _delivered.Add(frame.Content);
    }
}
