using Convoy.Actors.Remoting.Detection;
using Convoy.Shared.Time;

namespace Convoy.Actors.Tests.Remoting.Detection;

public sealed class PhiAccrualDetectorTests // FT-03
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(250);

    [Fact]
    public void A_dead_peer_is_known_within_a_second_of_its_last_beat_on_a_quiet_network()
    {
        var (detector, last) = Beaten(new PhiAccrualOptions(), 100, 5);
        Assert.False(detector.Decide(last + TimeSpan.FromMilliseconds(400)).IsDead);
        var verdict = detector.Decide(last + TimeSpan.FromMilliseconds(950));
        Assert.True(verdict.IsDead);
        Assert.StartsWith("silent for 950 ms, phi ", verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stall_of_three_seconds_is_forgiven_by_option_and_a_longer_one_is_not()
    {
        var (detector, last) = Beaten(new PhiAccrualOptions { AcceptableStall = TimeSpan.FromSeconds(3) }, 100, 5);
        Assert.False(detector.Decide(last + TimeSpan.FromSeconds(3)).IsDead);
        Assert.True(detector.Decide(last + TimeSpan.FromSeconds(4)).IsDead);
        detector.OnBeat(last + TimeSpan.FromSeconds(3)); // back, and the stall is no habit
        Assert.True(detector.Decide(last + TimeSpan.FromSeconds(7)).IsDead);
    }

    [Fact]
    public void An_unsteady_network_waits_longer_than_a_steady_one()
    {
        var (steady, at) = Beaten(new PhiAccrualOptions(), 100, 5);
        var (unsteady, then) = Beaten(new PhiAccrualOptions(), 100, 200);
        var silence = TimeSpan.FromMilliseconds(600);
        Assert.True(steady.Phi(at + silence) > 2 * unsteady.Phi(then + silence));
    }

    [Fact]
    public void The_suspicion_never_falls_between_beats_and_falls_with_one() // PA-1, PA-2
    {
        var (detector, last) = Beaten(new PhiAccrualOptions(), 50, 40);
        var before = 0.0;
        for (var ms = 0; ms < 3_000; ms += 10)
        {
            var phi = detector.Phi(last + TimeSpan.FromMilliseconds(ms));
            Assert.True(phi >= before, $"{phi} after {before} at {ms} ms");
            before = phi;
        }

        detector.OnBeat(last + TimeSpan.FromSeconds(3));
        Assert.True(detector.Phi(last + TimeSpan.FromSeconds(3)) < 0.2);
    }

    [Fact]
    public void Who_never_beat_is_not_suspected() => // PA-3
        Assert.Equal(0, new PhiAccrualDetector(new PhiAccrualOptions()).Phi(Instant.Zero + TimeSpan.FromHours(1)));

    [Fact]
    public void Two_other_voices_shorten_the_wait_and_one_is_not_enough() // PA-4
    {
        var (detector, last) = Beaten(new PhiAccrualOptions(), 100, 5);
        var late = last + TimeSpan.FromMilliseconds(450);
        detector.OnReport("w3", late);
        detector.OnReport("w3", late);
        Assert.False(detector.Decide(late).IsDead);
        detector.OnReport("w5", late);
        Assert.Contains("w3 and w5 wait for it too", detector.Decide(late).Reason, StringComparison.Ordinal);
        detector.OnHeard(late);
        Assert.False(detector.Decide(late + TimeSpan.FromMilliseconds(450)).IsDead);
    }

    [Fact]
    public void Who_is_on_time_here_is_not_voted_dead() // PA-4
    {
        var (detector, last) = Beaten(new PhiAccrualOptions(), 100, 5);
        foreach (var reporter in new[] { "w3", "w4", "w5" }) detector.OnReport(reporter, last + Beat * 0.9);
        Assert.False(detector.Decide(last + TimeSpan.FromMilliseconds(450)).IsDead);
    }

    [Fact]
    public void However_unsteady_the_beats_are_there_is_a_last_moment() // PA-5
    {
        var detector = new PhiAccrualDetector(new PhiAccrualOptions());
        var last = Instant.Zero;
        for (var i = 0; i < 100; i++) detector.OnBeat(last += TimeSpan.FromMilliseconds(i % 2 == 0 ? 100 : 1_900));
        Assert.False(detector.Decide(last + TimeSpan.FromMilliseconds(1_950)).IsDead);
        Assert.Equal("silent for 2000 ms, the longest that is waited for",
            detector.Decide(last + TimeSpan.FromSeconds(2)).Reason);
    }

    [Fact]
    public void A_pause_of_the_listener_is_no_silence_of_the_peer()
    {
        var (detector, last) = Beaten(new PhiAccrualOptions(), 100, 5);
        var pause = TimeSpan.FromSeconds(5);
        detector.OnOwnPause(pause, last + pause);
        Assert.Equal(last + pause, detector.HeardAt);
        Assert.True(detector.Decide(last + pause + TimeSpan.FromMilliseconds(950)).IsDead);
    }

    [Fact]
    public void Messages_between_two_beats_are_signs_of_life_and_no_intervals()
    {
        var (chatty, last) = Beaten(new PhiAccrualOptions(), 2, 0);
        for (var i = 0; i < 200; i++) chatty.OnHeard(last + TimeSpan.FromMilliseconds(i));
        chatty.OnBeat(last + Beat);
        Assert.False(chatty.Decide(last + Beat + TimeSpan.FromMilliseconds(400)).IsDead);
    }

    [Theory] // FT-03: the default, a patient cluster, an impatient one
    [InlineData(250, 1_000)]
    [InlineData(250, 10_000)]
    [InlineData(10, 50)]
    public void With_the_numbers_of_a_cluster_a_steady_peer_is_given_up_shortly_before_dead(int beatMs, int deadMs)
    {
        var clocks = new ClockTable().With(beatMs, deadMs, stallMs: 0);
        var detector = new PhiAccrualDetector(PhiAccrualOptions.From(clocks));
        var now = Instant.Zero;
        for (var i = 0; i < 50; i++) detector.OnBeat(now += clocks.Beat);
        Assert.False(detector.Decide(now + clocks.Dead * 0.88).IsDead);
        Assert.True(detector.Decide(now + clocks.Dead * 0.92).IsDead);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_peer_that_lives()
    {
        var (detector, last) = Beaten(new PhiAccrualOptions(), 100, 5);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var ms = 0; ms < 350; ms++) _ = detector.Decide(last + TimeSpan.FromMilliseconds(ms));
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>Beats with a fixed pattern of lateness around 250 ms.</summary>
    private static (PhiAccrualDetector Detector, Instant Last) Beaten(PhiAccrualOptions options,
        int beats, int jitterMs)
    {
        var detector = new PhiAccrualDetector(options);
        var now = Instant.Zero;
        for (var i = 0; i < beats; i++)
        {
            now += Beat + TimeSpan.FromMilliseconds((i * 7 % 11 - 5) * jitterMs / 5.0);
            detector.OnBeat(now);
        }

        return (detector, now);
    }
}
