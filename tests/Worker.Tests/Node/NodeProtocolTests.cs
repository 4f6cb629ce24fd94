using Convoy.Shared;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Worker.Node;

namespace Convoy.Worker.Tests.Node;

public sealed class NodeProtocolTests
{
    private readonly List<NodeOutput> _last = [];
    private readonly NodeProtocol _node = new("host:1", TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(10),
        TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(60), Instant.Zero);

    private Instant _now;
    private bool _hasTrainer;

    private void Do(object message)
    {
        _last.Clear();
        _node.Step(message, _hasTrainer, _now, _last);
    }

    private void Advance(double seconds)
    {
        _last.Clear();
        _now += TimeSpan.FromSeconds(seconds);
        _node.Tick(_now, _last);
    }

    private void Join()
    {
        Do(new CoordinatorUp());
        Do(new Welcome { WorkerId = 3, LeaderToken = 2 });
    }

    private T Only<T>() => Assert.Single(_last.OfType<T>());

    [Fact]
    public void It_greets_is_admitted_and_beats()
    {
        Do(new CoordinatorUp());
        Only<SendHello>();
        Advance(1);
        Assert.Empty(_last); // nobody knows it yet: no beat
        Do(new Welcome { WorkerId = 3, LeaderToken = 2 });
        Assert.Equal((3, 2L), (Only<Admitted>().Me.Value, Only<Admitted>().Token.Value));
        Advance(0.2);
        Assert.Empty(_last);
        Advance(0.06);
        Only<SendBeat>();
    }

    [Fact]
    public void A_release_that_lets_it_stay_ends_the_job_and_greets_again()
    {
        _hasTrainer = true;
        Join();
        Do(new Release { LeaderToken = 2, Stay = true });
        Only<ReleaseTrainer>();
        Do(new TrainingEnded(0, "finished"));
        Assert.True(_last.FindIndex(o => o is ForgetTrainer) < _last.FindIndex(o => o is SendHello));
        Assert.Equal(NodeStatus.Greeting, _node.Status);
        _hasTrainer = false;
        Do(new Welcome { WorkerId = 5, LeaderToken = 2 });
        Assert.Equal(5, Only<Admitted>().Me.Value);

        Do(new Release { LeaderToken = 2, Stay = true }); // nothing of a job is here
        Only<SendHello>();
        Do(new Welcome { WorkerId = 6, LeaderToken = 2 });
        Do(new Release { LeaderToken = 2 });
        Only<ExitProcess>();
    }

    [Fact]
    public void Who_asked_to_leave_does_not_stay()
    {
        _hasTrainer = true;
        Join();
        Do(new DrainAsked());
        Do(new Release { LeaderToken = 2, ExitCode = 10, Stay = true });
        Do(new TrainingEnded(10, "drained"));
        Assert.Equal(10, Only<ExitProcess>().Code);
    }

    [Fact]
    public void A_coordinator_that_is_gone_is_dialled_for_the_orphan_limit_and_said_so_N3()
    {
        _hasTrainer = true;
        Join();
        Do(new CoordinatorDown("reset"));
        Assert.Equal(NodeStatus.Dialing, _node.Status);
        Advance(4.9);
        Assert.Empty(_last);
        Advance(0.2);
        Assert.Contains("5 s", Only<Say>().Line);
        Advance(594);
        Assert.Empty(_last.OfType<ExitProcess>());
        Advance(1);
        Only<SaveState>();
        Assert.Equal(NodeStatus.Saving, _node.Status);
        // Who comes back now comes too late: one state is saved, and nothing changes it any more.
        Do(new CoordinatorUp());
        Do(new CoordinatorDown("reset"));
        Do(new StateSaved("state 7 is saved as /run/step-7"));
        Assert.Equal((int)ExitCode.Cluster, Only<ExitProcess>().Code);
        Assert.Contains("host:1", Only<ExitProcess>().Line);
        Assert.EndsWith("state 7 is saved as /run/step-7", Only<ExitProcess>().Line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_save_that_does_not_end_holds_no_orphan()
    {
        _hasTrainer = true;
        Advance(600);
        Only<SaveState>();
        Advance(59);
        Assert.Empty(_last);
        Advance(1);
        Assert.Contains("not saved within 60 s", Only<ExitProcess>().Line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_coordinator_that_comes_back_is_greeted()
    {
        Join();
        Do(new CoordinatorDown("reset"));
        Do(new CoordinatorUp());
        Only<SendHello>();
        Advance(1000);
        Assert.Empty(_last);
    }

    [Fact]
    public void A_refusal_ends_it_with_the_differences_in_one_line()
    {
        Do(new CoordinatorUp());
        Do(new Refuse { Reason = "device kinds differ", Differences = { "mine cpu/v1", "yours cpu/v2" } });
        Assert.Equal((int)ExitCode.Cluster, Only<ExitProcess>().Code);
        Assert.Contains("cpu/v2", Only<ExitProcess>().Line);
        Do(new CoordinatorUp());
        Assert.Empty(_last);
    }

    [Fact]
    public void A_handshake_that_does_not_fit_ends_it()
    {
        Do(new CoordinatorUnfit(["build a, here b"]));
        Assert.Contains("build a", Only<ExitProcess>().Line);
    }

    [Fact]
    public void A_drain_is_told_with_what_is_left_of_its_grace_and_ends_with_it_N2()
    {
        _hasTrainer = true;
        Join();
        Do(new DrainAsked());
        Assert.Equal(TimeSpan.FromSeconds(10), Only<SendDrain>().Grace);
        Do(new DrainAsked());
        Assert.Empty(_last.OfType<SendDrain>());
        Advance(9.9);
        Assert.Empty(_last.OfType<ExitProcess>());
        Advance(0.1);
        Assert.Equal((int)ExitCode.GraceExpired, Only<ExitProcess>().Code);
    }

    [Fact]
    public void A_drain_while_nobody_leads_is_told_to_the_next_leader()
    {
        _hasTrainer = true;
        Join();
        Do(new CoordinatorDown("gone"));
        Do(new DrainAsked());
        Assert.Empty(_last.OfType<SendDrain>());
        Advance(4);
        Do(new CoordinatorUp());
        Do(new Welcome { WorkerId = 3, LeaderToken = 3 });
        Assert.Equal(TimeSpan.FromSeconds(6), Only<SendDrain>().Grace);
    }

    [Fact]
    public void A_drain_before_it_joined_ends_at_once()
    {
        Do(new DrainAsked());
        Assert.Equal((int)ExitCode.Drained, Only<ExitProcess>().Code);
    }

    [Fact]
    public void A_release_ends_it_or_its_trainer_first()
    {
        _hasTrainer = true;
        Join();
        Do(new Release { LeaderToken = 2, ExitCode = 10 });
        Only<ReleaseTrainer>();
        Do(new TrainingEnded(10, "drained"));
        Assert.Equal(10, Only<ExitProcess>().Code);
    }

    [Fact]
    public void An_older_leader_changes_nothing_N1()
    {
        Join();
        Do(new Release { LeaderToken = 1, ExitCode = 10 });
        Assert.Empty(_last.OfType<ExitProcess>());
        Do(new GreetAgain());
        Only<SendHello>();
        Do(new Welcome { WorkerId = 3, LeaderToken = 1 });
        Assert.Equal(NodeStatus.Greeting, _node.Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_message_in_every_state_is_handled(bool hasTrainer)
    {
        object[] messages =
        [
            new CoordinatorUp(), new CoordinatorDown("x"), new CoordinatorUnfit([]), new Welcome { LeaderToken = 9 },
            new Refuse(), new Release { LeaderToken = 9 }, new GreetAgain(), new DrainAsked(), new TrainingEnded(0, ""),
            new StateSaved(""),
        ];
        for (var prefix = 0; prefix < 5; prefix++)
        {
            foreach (var message in messages)
            {
                var test = new NodeProtocolTests { _hasTrainer = hasTrainer };
                if (prefix == 4) test.Advance(601);
                else if (prefix > 0) test.Do(new CoordinatorUp());
                if (prefix is > 1 and < 4) test.Do(new Welcome { LeaderToken = 2 });
                if (prefix == 3) test.Do(new TrainingEnded(0, ""));
                test.Do(message);
                test.Advance(0.1);
            }
        }
    }
}
