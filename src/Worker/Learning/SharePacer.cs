using Convoy.Shared;
using Convoy.Shared.Time;

namespace Convoy.Worker.Learning;

/// <summary>
/// Keeps what is sent to a learner within a share of its link: after a frame comes a pause, so long that frames and
/// pauses together have the share's speed. The link's speed is the best of the last frames, from sending to the
/// learner's word that it is taken: what buffers swallow is no speed, and a busy moment of the other end is no slower
/// link. Pure.
/// </summary>
internal sealed class SharePacer(double share)
{
    /// <summary>A learner gets this much of a member's link, all learners of a member together.</summary>
    public const double LearnersShare = 0.1;

    private const int Window = 64;
    private readonly double[] _speeds = new double[Window]; // bytes in a second
    private int _count;

    /// <summary>Part of the link that may be used; more learners, smaller parts.</summary>
    public double Share { get; set; } = share;

    /// <summary>Of the link, bytes in a second; 0: nothing was measured yet.</summary>
    public double LinkBytesPerSecond
    {
        get
        {
            var best = 0.0;
            foreach (var speed in _speeds) best = Math.Max(best, speed);
            return best;
        }
    }

    /// <summary>The next frame may leave then.</summary>
    public Instant NextAt { get; private set; }

    public void OnHeard(long bytes, Instant sentAt, Instant now)
    {
        Invariant.Check(bytes > 0 && now >= sentAt, "J4 a frame has bytes and is heard of after it was sent");
        // A clock tick is the least that can be told apart.
        var seconds = Math.Max((now - sentAt).TotalSeconds, 1e-6);
        _speeds[_count++ % Window] = bytes / seconds;
        NextAt = sentAt + TimeSpan.FromSeconds(bytes / (Share * LinkBytesPerSecond));
    }

    /// <summary>How long so many bytes take at the share's speed; null: nothing was measured yet.</summary>
    public TimeSpan? TimeOf(long bytes) =>
        LinkBytesPerSecond is > 0 and var speed ? TimeSpan.FromSeconds(bytes / (Share * speed)) : null;
}
