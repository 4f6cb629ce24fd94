using Convoy.Autodiff.Tensors.Buffers;
using Convoy.Shared.Threading;

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
/// Memory of tensors that is lent and given back: every tensor that is made inside a <see cref="BufferScope"/> takes a
/// zeroed buffer and gives it back when the scope ends; <see cref="BufferOptions.Strategy"/> says what that means. A
/// buffer has one owner at any time: the pool, a scope, or, after <see cref="BufferScope.Keep"/>, the tensor itself.
/// Thread-safe; a scope belongs to the thread that opened it, and a stack to one thread at a time.
/// </summary>
public sealed class BufferPool
{
    private readonly OrderedLock _gate = new("a pool of buffers", LockRank.Runtime);
    private readonly IBufferSource _source;
    private readonly DirectSource _plain;
    private readonly BufferPatternCounter _pattern = new();
    private BufferStatistics _statistics;
    private int _open;
    private int _thread;

    /// <param name="heldBytesMax">
    /// Bytes that may wait in the pool; what comes back beyond is left to the collector.
    /// </param>
    public BufferPool(long heldBytesMax = 1L << 30) : this(new BufferOptions { HeldBytesMax = heldBytesMax })
    {
    }

    /// <param name="options">Strategy, alignment, bounds.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public BufferPool(BufferOptions options)
    {
        options.Check();
        (Options, _source) = (options, BufferSources.Of(options));
        _plain = new DirectSource(options.AlignmentBytes);
    }

    /// <summary>What it was made with.</summary>
    public BufferOptions Options { get; }

    /// <summary>Switched off, scopes allocate and nothing is kept; for comparison.</summary>
    public bool IsOn { get; set; } = true;

    /// <summary>What the pool did so far, in one consistent look.</summary>
    public BufferStatistics Statistics
    {
        get
        {
            using (_gate.Enter()) return _statistics with { HeldBytes = _source.HeldBytes };
        }
    }

    /// <summary>Sizes, repetition and lifetimes of what was rented so far, and the strategy that suits them.</summary>
    public BufferPattern Analyze()
    {
        using (_gate.Enter()) return _pattern.Analyze(Options);
    }

    /// <summary>Tensors that this thread makes come from the pool until the scope is disposed.</summary>
    /// <exception cref="InvalidOperationException">A stack is in use by another thread.</exception>
    public BufferScope Enter() => new(this);

    /// <summary>
    /// Gives up buffers that wait, largest first, until at most so many bytes are held.
    /// </summary>
    public void Trim(long keepBytes = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keepBytes);
        using (_gate.Enter()) _source.Trim(keepBytes);
    }

    /// <summary>From now on buffers are rented that come back before <see cref="End"/>.</summary>
    internal long Begin()
    {
        using (_gate.Enter())
        {
            var thread = Environment.CurrentManagedThreadId;
            if (Options.Strategy == BufferStrategy.Stack && _open > 0 && _thread != thread)
                throw new InvalidOperationException(
                    "the stack of buffers serves another thread; give each thread a pool, or take another strategy");
            (_open, _thread) = (_open + 1, thread);
            return _source.Mark();
        }
    }

    /// <param name="mark">What <see cref="Begin"/> gave.</param>
    /// <param name="rentedBytes">Bytes that were rented since.</param>
    internal void End(long mark, long rentedBytes)
    {
        using (_gate.Enter())
        {
            _open--;
            _source.Reset(mark);
            _pattern.ScopeEnded(rentedBytes);
        }
    }

    /// <summary>Zeros.</summary>
    internal Storage Rent(long bytes)
    {
        BufferBlock block;
        bool reused;
        using (_gate.Enter())
        {
            reused = false;
            block = IsOn ? _source.Rent(bytes, out reused) : _plain.Rent(bytes, out reused);
            var rented = _statistics.RentedBytes + bytes;
            _statistics = new BufferStatistics(
                _statistics.Allocations + (reused ? 0 : 1), _statistics.Reuses + (reused ? 1 : 0), rented, 0,
                Math.Max(_statistics.HighWaterBytes, rented));
            _pattern.Rented(bytes);
        }

        var storage = Storage.Over(block);
        // A new tensor is zero; operators that add into their result rely on it. New arrays and pages are.
        if (reused || block is DirectBlock or StackBlock) storage.Span<byte>(0, bytes).Clear();
        return storage;
    }

    /// <summary>What was rented comes back.</summary>
    internal void Return(Storage storage)
    {
        var block = storage.Release();
        using (_gate.Enter())
        {
            _statistics = _statistics with { RentedBytes = _statistics.RentedBytes - block.Bytes };
            GiveBack(block);
        }
    }

    /// <summary>What was rented belongs to its tensor now.</summary>
    internal void Keep(Storage storage)
    {
        var bytes = storage.Bytes;
        var block = storage.Detach();
        using (_gate.Enter())
        {
            _statistics = _statistics with { RentedBytes = _statistics.RentedBytes - bytes };
            _pattern.KeptOne();
            if (block is not null) GiveBack(block);
        }
    }

    // A block of the collector waits only while the pool is on; one that was rented while it was off is direct.
    private void GiveBack(BufferBlock block)
    {
        if (IsOn && !(block is DirectBlock && Options.Strategy == BufferStrategy.Pooled)) _source.Return(block);
        else block.Free();
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
    private readonly long _mark;
    private long _bytes;
    private bool _ended;

    internal BufferScope(BufferPool pool)
    {
        (_pool, _outer, _mark) = (pool, _current, pool.Begin());
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
            scope._pool.Keep(tensor.Storage);
            break;
        }

        return tensor;
    }

    /// <summary>A scope inside the innermost one, of its pool; null where none is open.</summary>
    internal static BufferScope? Region() => _current?._pool.Enter();

    /// <summary>The tensor belongs to the scope around this one; out of a stack it is copied.</summary>
    internal void Hand(Tensor tensor)
    {
        if (_pool.Options.Strategy == BufferStrategy.Stack) Keep(tensor);
        else if (_storages.Remove(tensor.Storage)) _outer!._storages.Add(tensor.Storage);
    }

    internal Storage Rent(long bytes)
    {
        var storage = _pool.Rent(bytes);
        _bytes += bytes;
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
        foreach (var storage in _storages) _pool.Return(storage);
        _storages.Clear();
        _pool.End(_mark, _bytes);
    }
}
