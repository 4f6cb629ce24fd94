namespace Convoy.Autodiff.Tensors;

/// <summary>What a pool did so far.</summary>
/// <param name="Allocations">Buffers that were made.</param>
/// <param name="Reuses">Rents that took a buffer from the pool.</param>
/// <param name="RentedBytes">Bytes that scopes own now.</param>
/// <param name="HeldBytes">Bytes that wait in the pool.</param>
/// <param name="HighWaterBytes">Most bytes that were rented at one time.</param>
public readonly record struct BufferStatistics(
    long Allocations, long Reuses, long RentedBytes, long HeldBytes, long HighWaterBytes)
{
    /// <summary>Share of the rents that made nothing new, 0 to 1.</summary>
    public double ReuseRate => Allocations + Reuses == 0 ? 0 : (double)Reuses / (Allocations + Reuses);
}

/// <summary>
/// Memory of eager tensors that is used again: every tensor that is made inside a <see cref="BufferScope"/> takes a
/// zeroed buffer of its size (tensors of one shape and element type share a size) and gives it back when the scope
/// ends. A buffer has one owner at any time: the pool, a scope, or, after <see cref="BufferScope.Keep"/>, the tensor
/// itself. Thread-safe; a scope belongs to the thread that opened it.
/// </summary>
/// <param name="heldBytesMax">Bytes that may wait in the pool; what comes back beyond is left to the collector.</param>
public sealed class BufferPool(long heldBytesMax = 1L << 30)
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, Stack<byte[]>> _free = [];
    private BufferStatistics _statistics;

    /// <summary>Switched off, scopes allocate and nothing is kept; for comparison.</summary>
    public bool IsOn { get; set; } = true;

    /// <summary>What the pool did so far, in one consistent look.</summary>
    public BufferStatistics Statistics
    {
        get
        {
            lock (_gate) return _statistics;
        }
    }

    /// <summary>Tensors that this thread makes come from the pool until the scope is disposed.</summary>
    public BufferScope Enter() => new(this);

    /// <summary>
    /// Gives buffers that wait to the collector, largest first, until at most so many bytes are held.
    /// </summary>
    public void Trim(long keepBytes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keepBytes);
        lock (_gate)
        {
            foreach (var size in _free.Keys.Reverse())
            {
                var waiting = _free[size];
                while (_statistics.HeldBytes > keepBytes && waiting.TryPop(out _))
                    _statistics = _statistics with { HeldBytes = _statistics.HeldBytes - size };
            }
        }
    }

    internal byte[] Rent(long bytes)
    {
        byte[]? found = null;
        lock (_gate)
        {
            var reused = IsOn && _free.TryGetValue(bytes, out var waiting) && waiting.TryPop(out found);
            var rented = _statistics.RentedBytes + bytes;
            _statistics = new BufferStatistics(
                _statistics.Allocations + (reused ? 0 : 1), _statistics.Reuses + (reused ? 1 : 0), rented,
                _statistics.HeldBytes - (reused ? bytes : 0), Math.Max(_statistics.HighWaterBytes, rented));
        }

        if (found is null) return Storage.Reserve(bytes, pinned: false);
        // A new tensor is zero; operators that add into their result rely on it.
        Array.Clear(found);
        return found;
    }

    /// <param name="buffer">What was rented.</param>
    /// <param name="stays">False: it belongs to a tensor that outlives the scope, so it is not used again.</param>
    internal void Return(byte[] buffer, bool stays)
    {
        long bytes = buffer.Length;
        lock (_gate)
        {
            var rented = _statistics.RentedBytes - bytes;
            var fits = stays && IsOn && _statistics.HeldBytes + bytes <= heldBytesMax;
            _statistics = _statistics with
            {
                RentedBytes = rented,
                HeldBytes = _statistics.HeldBytes + (fits ? bytes : 0),
            };
            if (!fits) return;
            if (!_free.TryGetValue(bytes, out var waiting)) _free.Add(bytes, waiting = new Stack<byte[]>());
            waiting.Push(buffer);
        }
    }
}

/// <summary>Owns the buffers of the tensors that were made on its thread while it is the innermost scope.</summary>
public sealed class BufferScope : IDisposable
{
    [ThreadStatic]
    private static BufferScope? _current;

    private readonly BufferPool _pool;
    private readonly BufferScope? _outer;
    private readonly List<Storage> _storages = [];
    private bool _ended;

    internal BufferScope(BufferPool pool)
    {
        (_pool, _outer) = (pool, _current);
        _current = this;
    }

    internal static BufferScope? Current => _current;

    /// <summary>
    /// The tensor outlives every open scope of this thread: its memory leaves the pool. No effect on a tensor that was
    /// made outside.
    /// </summary>
    public static Tensor Keep(Tensor tensor)
    {
        for (var scope = _current; scope is not null; scope = scope._outer)
        {
            if (!scope._storages.Remove(tensor.Storage)) continue;
            scope._pool.Return(tensor.Storage.Buffer, stays: false);
            break;
        }

        return tensor;
    }

    internal Storage Rent(long bytes)
    {
        var storage = Storage.Over(_pool.Rent(bytes));
        _storages.Add(storage);
        return storage;
    }

    /// <summary>
    /// All buffers go back; a tensor that is used afterwards says so instead of showing other numbers.
    /// </summary>
    public void Dispose()
    {
        if (_ended) return;
        if (_current != this)
            throw new InvalidOperationException("scopes of buffers end on their thread, the innermost first");
        _ended = true;
        _current = _outer;
        foreach (var storage in _storages) _pool.Return(storage.Release(), stays: true);
        _storages.Clear();
    }
}
