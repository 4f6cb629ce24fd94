using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Convoy.Autodiff.Tensors.Buffers;

/// <summary>Memory of one buffer: an array of the collector, or other bytes. Freed once, by its owner.</summary>
internal abstract class BufferBlock(long bytes)
{
    /// <summary>What was asked for.</summary>
    public long Bytes { get; } = bytes;

    public abstract void Free();
}

/// <summary>A part of an array; an aligned one is pinned, so that its address stays what it is.</summary>
internal sealed class ArrayBlock(byte[] array, int start, long bytes) : BufferBlock(bytes)
{
    public byte[] Array { get; } = array;

    public int Start { get; } = start;

    public override void Free()
    {
        // The collector takes it.
    }
}

/// <summary>Bytes outside of the collected heap.</summary>
internal abstract unsafe class NativeBlock(long bytes) : BufferBlock(bytes)
{
    public abstract byte* Address { get; }
}

/// <summary>Aligned memory of the system.</summary>
internal sealed unsafe class DirectBlock : NativeBlock
{
    private readonly Handle _handle;

    public DirectBlock(long bytes, int alignment) : base(bytes) => _handle = new Handle(bytes, alignment);

    public override byte* Address => (byte*)_handle.Memory;

    public override void Free() => _handle.Dispose();

    // A scope that nobody ends leaves its memory to the finalizer.
    private sealed class Handle : SafeHandle
    {
        public Handle(long bytes, int alignment) : base(0, ownsHandle: true) =>
            SetHandle((nint)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), (nuint)alignment));

        public override bool IsInvalid => handle == 0;

        public nint Memory => handle;

        protected override bool ReleaseHandle()
        {
            NativeMemory.AlignedFree((void*)handle);
            return true;
        }
    }
}

/// <summary>Pages of a file, which is deleted when it is closed.</summary>
internal sealed unsafe class MappedBlock : NativeBlock
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _address;

    public MappedBlock(long bytes, string? folder) : base(bytes)
    {
        var size = Math.Max(bytes, 1);
        if (folder is null) _file = MemoryMappedFile.CreateNew(null, size);
        else
        {
            Directory.CreateDirectory(folder);
            var file = new FileStream(Path.Combine(folder, Path.GetRandomFileName() + ".buffer"), new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose,
            });
            file.SetLength(size);
            _file = MemoryMappedFile.CreateFromFile(
                file, null, size, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        }

        _view = _file.CreateViewAccessor(0, size);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _address);
        _address += _view.PointerOffset;
    }

    public override byte* Address => _address;

    public override void Free()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}

/// <summary>Some bytes of a stack; the stack takes them back.</summary>
internal sealed unsafe class StackBlock(byte* address, long bytes) : NativeBlock(bytes)
{
    public override byte* Address => address;

    public override void Free()
    {
    }
}
