namespace Convoy.Kernels.Tests;

// AD-14, R5: a part of a kernel is computed once, whatever the system does with the threads between two instructions.
public sealed class TurnGateTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // Who gave the first turn is held up before it rings, the turn is taken, and the bell rings for a sleeper who waits
    // for the second. That sleeper ran the part of a kernel that was over, and was not waited for in the next one.
    [Fact]
    public void TG1_a_bell_that_rings_late_is_no_turn()
    {
        var gate = new TurnGate(spinRounds: 1);
        var taken = 0;
        var member = new Thread(() =>
        {
            for (; Volatile.Read(ref taken) < 3; Interlocked.Increment(ref taken)) gate.Await(taken);
        });
        gate.Count();
        member.IsBackground = true;
        member.Start();
        for (var bells = 0; bells < 50; bells++)
        {
            Assert.True(SpinWait.SpinUntil(() => gate.IsAsleep, Limit), "the member does not sleep again");
            Assert.Equal(1, Volatile.Read(ref taken));
            gate.Ring();
        }

        Assert.True(SpinWait.SpinUntil(() => gate.IsAsleep, Limit), "the member does not sleep again");
        Assert.Equal(1, Volatile.Read(ref taken));
        gate.Give();
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref taken) == 2, Limit), "the second turn was not taken");
        gate.Give();
        Assert.True(member.Join(Limit), "the third turn was not taken");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public void TG2_no_turn_is_missed(int spinRounds)
    {
        const int Turns = 20_000;
        var gate = new TurnGate(spinRounds);
        var taken = 0;
        var member = new Thread(() =>
        {
            for (; taken < Turns; Volatile.Write(ref taken, taken + 1)) gate.Await(taken);
        });
        member.IsBackground = true;
        member.Start();
        for (var given = 0; given < Turns; given++)
        {
            gate.Give();
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref taken) > given, Limit), $"turn {given} is missing");
        }

        Assert.True(member.Join(Limit), "the member waits for a turn too many");
    }
}
