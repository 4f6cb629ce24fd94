using Convoy.Shared.Threading;

namespace Convoy.Worker.Training;

/// <summary>
/// Memory for the copies that saves write behind training. A copy that was written serves a later save, so that a job
/// that saves often holds as many as are written at once, and not as many as the collector has not come to. Usually
/// that is one; a second where a save begins before the last one is on the disk.
/// </summary>
internal sealed class ShardCopies
{
    private const int FreeMax = 2;

    private readonly OrderedLock _lock = new("copies of shards", LockRank.Leaf);
    private readonly List<float[]> _free = [];

    /// <summary>At least so many floats, of any content.</summary>
    public float[] Rent(int count)
    {
        using (_lock.Enter())
        {
            // Of another share, larger or half of it: nobody will ask for that size again.
            _free.RemoveAll(copy => copy.Length < count || copy.Length / 2 > count);
            if (_free.Count > 0)
            {
                var copy = _free[^1];
                _free.RemoveAt(_free.Count - 1);
                return copy;
            }
        }

        return GC.AllocateUninitializedArray<float>(count);
    }

    /// <summary>From any thread, when nobody reads the copy any more.</summary>
    public void GiveBack(float[] copy)
    {
        using (_lock.Enter())
        {
            if (_free.Count < FreeMax) _free.Add(copy);
        }
    }
}
