using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Convoy.Autodiff.Tensors.Buffers;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Tensors;

/// <summary>
/// The bytes behind tensors: an array of ours, or memory of a caller that is bound for the length of one call (weights
/// and gradients of a training step, which the caller keeps pinned).
/// </summary>
internal sealed unsafe class Storage
{
    private const int AlignmentBytes = SimdInfo.BufferAlignment;
    private byte[]? _array;
    private int _start;
    private byte* _bound;
    private BufferBlock? _block; // what a pool lent
    private long _bytes;
    private bool _released;
    private Storage? _snapshot; // of these bytes as they are; takes a copy when they are written
    private Storage? _original; // of a snapshot that still shares
    private int _keepers; // of a snapshot

    private Storage(byte[]? array, int start, long bytes)
    {
        _array = array;
        _start = start;
        _bytes = bytes;
    }

    /// <summary>Counts writes, so that the tape can refuse a saved value that was changed.</summary>
    public int Version { get; private set; }

    public long Bytes => _bytes;

    /// <summary>Zeros; of the pool whose scope is open on this thread, else of the collector.</summary>
    public static Storage Allocate(long bytes) =>
        BufferScope.Current is { } scope ? scope.Rent(bytes) : Over(Reserve(bytes, pinned: false));

    public static Storage Over(byte[] array) => new(array, 0, array.Length);

    /// <summary>Over a block that a pool lends.</summary>
    public static Storage Over(BufferBlock block)
    {
        var storage = block is ArrayBlock a
            ? new Storage(a.Array, a.Start, a.Bytes) : new Storage(null, 0, block.Bytes);
        if (block is NativeBlock native) storage._bound = native.Address;
        storage._block = block;
        return storage;
    }

    /// <summary>Gives the block back: whoever still has a tensor of it meets an error.</summary>
    public BufferBlock Release()
    {
        var block = _block!;
        _snapshot?.Lose();
        _bound = null;
        (_array, _bytes, _released, _block) = (null, 0, true, null);
        return block;
    }

    /// <summary>
    /// Keeps what it has beyond its scope, copied where the memory is not the collector's. Returns the block when the
    /// pool gets it back, null when it went with the storage.
    /// </summary>
    public BufferBlock? Detach()
    {
        var block = _block!;
        _block = null;
        if (block is ArrayBlock) return null;
        _snapshot?.TakeCopy();
        var copy = Reserve(_bytes, pinned: false);
        new Span<byte>(_bound, copy.Length).CopyTo(copy);
        _bound = null;
        (_array, _start) = (copy, 0);
        return block;
    }

    /// <summary>Pinned, with a start that SIMD loads like; for buffers that live long.</summary>
    public static Storage AllocatePinned(long bytes)
    {
        var array = Reserve(bytes + AlignmentBytes, pinned: true);
        var address = (long)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
        var start = (int)((AlignmentBytes - (address % AlignmentBytes)) % AlignmentBytes);
        return new Storage(array, start, bytes);
    }

    internal static byte[] Reserve(long bytes, bool pinned)
    {
        if (bytes > Array.MaxLength)
        {
            throw new DeviceMemoryException(
                $"a tensor of {bytes} bytes: one tensor has at most {Array.MaxLength} bytes; split it, or the batch");
        }

        try
        {
            return pinned ? GC.AllocateArray<byte>((int)bytes, pinned: true) : new byte[bytes];
        }
        catch (OutOfMemoryException cause)
        {
            throw new DeviceMemoryException(
                $"a tensor of {bytes} bytes: this process has no such memory left; use smaller micro-batches", cause);
        }
    }

    public static Storage Unbound() => new(null, 0, 0);

    public void Bind(void* memory, long bytes)
    {
        Invariant.Check(_array is null, "AD-1 only storage without an array is bound");
        _bound = (byte*)memory;
        _bytes = bytes;
    }

    /// <summary>Before bytes are written: whoever has a snapshot keeps what was there.</summary>
    public void MarkWritten()
    {
        Version++;
        _snapshot?.TakeCopy();
    }

    /// <summary>
    /// The bytes as they are now, whatever is written here later: shared until then, and copied once. As often as it is
    /// asked for, <see cref="LetGo"/> is called; what nobody keeps is not copied.
    /// </summary>
    public Storage Snapshot()
    {
        if (_keepers > 0) return this; // is one, and nobody writes into it
        var shared = _snapshot ??= new Storage(_array, _start, _bytes) { _bound = _bound, _original = this };
        shared._keepers++;
        return shared;
    }

    /// <summary>One keeper of a snapshot less; of other storage nothing.</summary>
    public void LetGo()
    {
        if (_keepers == 0 || --_keepers > 0 || _original is null) return;
        Lose();
    }

    private void Lose()
    {
        _original!._snapshot = null;
        _bound = null;
        (_original, _array, _bytes, _released) = (null, null, 0, true);
    }

    private void TakeCopy()
    {
        var copy = Reserve(_bytes, pinned: false);
        Span<byte>(0, _bytes).CopyTo(copy);
        _original!._snapshot = null;
        _bound = null;
        (_original, _array, _start) = (null, copy, 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<T> Span<T>(long offset, long count) where T : unmanaged
    {
        var from = offset * sizeof(T);
        if (offset < 0 || count < 0 || from + (count * sizeof(T)) > _bytes) throw Outside();
        if (count == 0) return [];
        if (_array is null) return new Span<T>(_bound + from, (int)count);
        // A span made from the array keeps the array alive; one made from a pointer would not.
        ref var first = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_array), (nint)(_start + from));
        return MemoryMarshal.CreateSpan(ref Unsafe.As<byte, T>(ref first), (int)count);
    }

    private Exception Outside() => _released
        ? new InvalidOperationException(
            "this tensor's memory went back to its pool when the scope ended; keep the tensor (BufferScope.Keep) or copy it")
        : new InvariantException("AD-2 a tensor lies inside its storage");
}
