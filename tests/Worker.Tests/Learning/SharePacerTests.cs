using Convoy.Shared.Time;
using Convoy.Worker.Learning;

namespace Convoy.Worker.Tests.Learning;

/// <summary>J4: what a learner gets leaves nine tenths of the link to the members.</summary>
public sealed class SharePacerTests
{
    [Theory]
    [InlineData(1_000_000, 1.0)]      // 1 MB/s
    [InlineData(125_000_000, 1.0)]    // 1 Gb/s
    [InlineData(1_000_000_000, 0.5)]  // every other frame meets a busy moment
    public void Frames_and_pauses_together_have_a_tenth_of_the_link(double bytesPerSecond, double idleShare)
    {
        var pacer = new SharePacer(0.1);
        var (now, sent) = (Instant.Zero, 0L);
        for (var frame = 0; frame < 200; frame++)
        {
            if (now < pacer.NextAt) now = pacer.NextAt;
            var slow = frame % 2 == 1 && idleShare < 1 ? 3 : 1;
            var heard = now + TimeSpan.FromSeconds(slow * (1 << 20) / bytesPerSecond);
            pacer.OnHeard(1 << 20, now, heard);
            (now, sent) = (heard, sent + (1 << 20));
        }

        var speed = sent / (pacer.NextAt - Instant.Zero).TotalSeconds;
        Assert.InRange(speed / bytesPerSecond, 0.095, 0.101);
    }

    [Fact]
    public void Time_is_known_once_a_frame_was_heard_of()
    {
        var pacer = new SharePacer(0.1);
        Assert.Null(pacer.TimeOf(1_000));
        pacer.OnHeard(1_000, Instant.Zero, new Instant(1_000)); // 1 MB/s
        Assert.Equal(TimeSpan.FromMilliseconds(10), pacer.TimeOf(1_000));
        Assert.Equal(new Instant(10_000), pacer.NextAt);
    }
}
