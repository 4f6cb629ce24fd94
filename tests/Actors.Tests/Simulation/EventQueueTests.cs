using Convoy.Actors.Simulation;

namespace Convoy.Actors.Tests.Simulation;

/// <summary>SW-3: events come out by their time, those of one time as they were put in, however slots are used again.
/// </summary>
public sealed class EventQueueTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Events_come_in_the_order_of_time_and_then_of_asking(ulong seed)
    {
        var choice = new SeededChoice(seed);
        var queue = new EventQueue();
        var expected = new List<(long At, int Number)>();
        var happened = new List<int>();
        var number = 0;
        for (var round = 0; round < 5_000; round++)
        {
            // More and more wait at first, so that the queue grows; later it runs empty now and then.
            if (queue.Count == 0 || choice.Below(100) < (round < 2_500 ? 70 : 45))
            {
                var (at, mine) = (choice.Below(50), number++);
                queue.Enqueue(null, new SimulatedCall(() => happened.Add(mine)), at);
                expected.Add((at, mine));
                continue;
            }

            var next = expected.MinBy(e => (e.At, e.Number));
            expected.Remove(next);
            Assert.Equal(next.At, queue.NextAt);
            queue.Dequeue().What.Happen();
            Assert.Equal(next.Number, happened[^1]);
        }

        Assert.Equal(expected.Count, queue.Count);
        Assert.True(happened.Count > 1_000);
    }

    [Fact]
    public void What_was_cleared_does_not_come_back()
    {
        var queue = new EventQueue();
        for (var i = 0; i < 1_000; i++) queue.Enqueue(null, new SimulatedCall(static () => { }), i);
        queue.Clear();
        Assert.Equal(0, queue.Count);
        var ran = false;
        queue.Enqueue(null, new SimulatedCall(() => ran = true), 7);
        Assert.Equal(7, queue.NextAt);
        queue.Dequeue().What.Happen();
        Assert.True(ran);
        Assert.Equal(0, queue.Count);
    }
}
