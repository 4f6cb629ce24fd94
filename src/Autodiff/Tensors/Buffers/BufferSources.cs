using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Convoy.Autodiff.Tensors.Buffers;

internal static class BufferSources
{
    public static IBufferSource Of(BufferOptions options) => options.Strategy switch
    {
        BufferStrategy.Direct => new DirectSource(options.AlignmentBytes),
        BufferStrategy.Hybrid => new HybridSource(options),
        BufferStrategy.MemoryMapped => new MappedSource(options.Folder),
        BufferStrategy.Stack => new StackSource(options),
        _ => new PooledSource(options),
    };
}

/// <summary>Arrays by size: tensors of one shape and element type share a size.</summary>
internal sealed class PooledSource(BufferOptions options) : IBufferSource
{
    // The collector starts arrays at multiples of eight by itself.
    private const int NaturalAlignment = 8;
    private readonly SortedDictionary<long, Stack<BufferBlock>> _free = [];

    public long HeldBytes { get; private set; }

    public BufferBlock Rent(long bytes, out bool reused)
    {
        BufferBlock? found = null;
        reused = _free.TryGetValue(bytes, out var waiting) && waiting.TryPop(out found);
        if (found is null) return New(bytes);
        HeldBytes -= bytes;
        return found;
    }

    public void Return(BufferBlock block)
    {
        if (HeldBytes + block.Bytes > options.HeldBytesMax) return;
        HeldBytes += block.Bytes;
        if (!_free.TryGetValue(block.Bytes, out var waiting))
            _free.Add(block.Bytes, waiting = new Stack<BufferBlock>());
        waiting.Push(block);
    }

    public void Trim(long keepBytes)
    {
        foreach (var size in _free.Keys.Reverse())
            while (HeldBytes > keepBytes && _free[size].TryPop(out _)) HeldBytes -= size;
    }

    private unsafe ArrayBlock New(long bytes)
    {
        var alignment = options.AlignmentBytes;
        if (alignment <= NaturalAlignment) return new ArrayBlock(Storage.Reserve(bytes, pinned: false), 0, bytes);
        var array = Storage.Reserve(bytes + alignment, pinned: true);
        var address = (long)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
        return new ArrayBlock(array, (int)((alignment - (address % alignment)) % alignment), bytes);
    }
}

/// <summary>Nothing waits: each buffer is of the system's and goes back to it.</summary>
internal sealed class DirectSource(int alignment) : IBufferSource
{
    public long HeldBytes => 0;

    public BufferBlock Rent(long bytes, out bool reused)
    {
        reused = false;
        return new DirectBlock(bytes, alignment);
    }

    public void Return(BufferBlock block) => block.Free();

    public void Trim(long keepBytes)
    {
    }
}

internal sealed class HybridSource(BufferOptions options) : IBufferSource
{
    private readonly PooledSource _small = new(options);
    private readonly DirectSource _large = new(options.AlignmentBytes);

    public long HeldBytes => _small.HeldBytes;

    public BufferBlock Rent(long bytes, out bool reused) =>
        bytes < options.DirectFromBytes ? _small.Rent(bytes, out reused) : _large.Rent(bytes, out reused);

    public void Return(BufferBlock block)
    {
        if (block is ArrayBlock) _small.Return(block);
        else _large.Return(block);
    }

    public void Trim(long keepBytes) => _small.Trim(keepBytes);
}

/// <summary>Each buffer is whole pages, so every alignment up to a page holds.</summary>
internal sealed class MappedSource(string? folder) : IBufferSource
{
    public long HeldBytes => 0;

    public BufferBlock Rent(long bytes, out bool reused)
    {
        reused = false;
        return new MappedBlock(bytes, folder);
    }

    public void Return(BufferBlock block) => block.Free();

    public void Trim(long keepBytes)
    {
    }
}

/// <summary>Takes the next bytes of one block; the end of a scope sets the place back.</summary>
internal sealed unsafe class StackSource(BufferOptions options) : IBufferSource
{
    private readonly int _alignment = options.AlignmentBytes;
    private DirectBlock? _memory;
    private long _top;

    public long HeldBytes => _memory is null ? 0 : _memory.Bytes - _top;

    public BufferBlock Rent(long bytes, out bool reused)
    {
        reused = _memory is not null;
        _memory ??= new DirectBlock(options.StackBytes, _alignment);
        var size = (bytes + _alignment - 1) / _alignment * _alignment;
        if (size > _memory.Bytes - _top)
        {
            reused = false;
            return new DirectBlock(bytes, _alignment);
        }

        var block = new StackBlock(_memory.Address + _top, bytes);
        _top += size;
        return block;
    }

    // Bytes of the stack come back with their scope.
    public void Return(BufferBlock block) => block.Free();

    public void Trim(long keepBytes)
    {
        if (_top > 0 || _memory is null || _memory.Bytes <= keepBytes) return;
        _memory.Free();
        _memory = null;
    }

    public long Mark() => _top;

    public void Reset(long mark) => _top = mark;
}
