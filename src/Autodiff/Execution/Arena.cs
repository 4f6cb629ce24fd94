using System.Runtime.InteropServices;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>The memory of a program: outside of the collected heap, aligned, zero at the start, freed with the program.</summary>
internal sealed unsafe class Arena : IDisposable
{
    private const nuint AlignmentBytes = 64;
    private void* _memory;

    public Arena(long bytes)
    {
        _memory = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), AlignmentBytes);
        NativeMemory.Clear(_memory, (nuint)bytes);
        Storage = Storage.Unbound();
        Storage.Bind(_memory, bytes);
    }

    ~Arena() => Free();

    public Storage Storage { get; }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        Storage.Bind(null, 0);
    }
}
