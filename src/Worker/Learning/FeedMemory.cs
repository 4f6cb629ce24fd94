using Convoy.Shared.Threading;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Learning;

/// <summary>
/// Memory of pieces that learners are fed: a step has the pieces of the step before, so what every learner has taken
/// serves again, and a member that feeds leaves no garbage behind each step. Bounded: what does not fit goes to the
/// collector, and so does all of it when nobody is fed. The device rents, the trainer gives back.
/// </summary>
internal sealed class FeedMemory
{
    private const int FreeMax = 64;
    private const long FreeBytesMax = 64L << 20;

    private readonly OrderedLock _gate = new("memory of fed steps", LockRank.Leaf);
    private readonly List<PinnedVector> _free = []; // oldest first
    private long _freeBytes;
    private bool _keeps;

    /// <summary>Of memory that waits to be rented.</summary>
    public long FreeBytes
    {
        get
        {
            using (_gate.Enter()) return _freeBytes;
        }
    }

    /// <summary>Whether what is given back may be wanted again.</summary>
    public bool Keeps
    {
        set
        {
            using (_gate.Enter())
            {
                _keeps = value;
                while (!_keeps && _free.Count > 0) Forget(_free.Count - 1);
            }
        }
    }

    /// <summary>Of any content.</summary>
    public PinnedVector Rent(int floats)
    {
        using (_gate.Enter())
        {
            for (var i = _free.Count - 1; i >= 0; i--)
                if (_free[i].Length == floats)
                    return Forget(i);
        }

        return new PinnedVector(floats);
    }

    /// <summary>Nobody reads it any more.</summary>
    public void GiveBack(PinnedVector memory)
    {
        using (_gate.Enter())
        {
            if (!_keeps) return;
            _free.Add(memory);
            _freeBytes += BytesOf(memory);
            // Pieces of an earlier cut of the vector are never asked for again: the oldest go first.
            while (_free.Count > FreeMax || _freeBytes > FreeBytesMax) Forget(0);
        }
    }

    private PinnedVector Forget(int at)
    {
        var memory = _free[at];
        _free.RemoveAt(at);
        _freeBytes -= BytesOf(memory);
        return memory;
    }

    private static long BytesOf(PinnedVector memory) => (long)memory.Length * sizeof(float);
}
