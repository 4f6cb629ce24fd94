using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;
using Convoy.Shared.Threading;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// The results of one run in buffers of a pool. A buffer goes back when the last node that has it (a reshape shares
/// that of its operand) is dropped. Renting is thread-safe; the counts are the caller's to guard.
/// </summary>
internal sealed class LentResults : IDisposable
{
    private readonly BufferPool _pool;
    private readonly Dictionary<Storage, int> _holders = new(ReferenceEqualityComparer.Instance);
    private readonly OrderedLock _gate = new("results of a run", LockRank.Leaf);
    private readonly long _mark;
    private long _bytes;

    public LentResults(BufferPool pool) => (_pool, _mark) = (pool, pool.Begin());

    public Tensor New(DType dtype, Shape shape)
    {
        var bytes = shape.Count * dtype.Size();
        var storage = _pool.Rent(bytes);
        Interlocked.Add(ref _bytes, bytes);
        using (_gate.Enter()) _holders.Add(storage, 0);
        return new Tensor(storage, dtype, shape, Tensor.ContiguousStrides(shape), 0);
    }

    /// <summary>One more node has the tensor; one that is the caller's is not counted.</summary>
    public void Hold(Tensor tensor)
    {
        using (_gate.Enter())
            if (_holders.TryGetValue(tensor.Storage, out var count)) _holders[tensor.Storage] = count + 1;
    }

    public void Drop(Tensor tensor)
    {
        using (_gate.Enter())
        {
            if (!_holders.TryGetValue(tensor.Storage, out var count)) return;
            if (count > 1)
            {
                _holders[tensor.Storage] = count - 1;
                return;
            }

            _holders.Remove(tensor.Storage);
        }

        _pool.Return(tensor.Storage);
    }

    /// <summary>The tensor outlives the run.</summary>
    public void Keep(Tensor tensor)
    {
        bool lent;
        using (_gate.Enter()) lent = _holders.Remove(tensor.Storage);
        if (lent) _pool.Keep(tensor.Storage);
    }

    /// <summary>What is left goes back: of a run that failed, and results that nobody asked for.</summary>
    public void Dispose()
    {
        foreach (var storage in _holders.Keys) _pool.Return(storage);
        _holders.Clear();
        _pool.End(_mark, _bytes);
    }
}
