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
    public void Other_evidence_shortens_the_wait_and_one_voice_is_not_enough() // PA-4
    {
        var (detector, last) = Beaten(new PhiAccrualOptions(), 100, 5);
        var late = last + TimeSpan.FromMilliseconds(400);
        detector.OnReport("w3");
        detector.OnReport("w3");
        Assert.False(detector.Decide(late).IsDead);
        detector.OnReport("w5");
        Assert.False(detector.Decide(last + Beat).IsDead); // who is on time here is not voted dead
        Assert.Contains("w3, w5", detector.Decide(late).Reason, StringComparison.Ordinal);
        detector.OnBeat(late);
        Assert.False(detector.Decide(late + TimeSpan.FromMilliseconds(400)).IsDead);
        detector.OnUnreachable();
        Assert.True(detector.Decide(late).IsDead);
    }

    /// <summary>Beats with a fixed pattern of lateness around 250 ms.</summary>
    private static (PhiAccrualDetector Detector, Instant Last) Beaten(PhiAccrualOptions options, int beats, int jitterMs)
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
