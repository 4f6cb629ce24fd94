using System.Runtime.InteropServices;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// The memory of a program: outside of the collected heap, aligned, freed with the program. Nobody reads what was not
/// written in the same call, so it is not cleared: what a small call does not touch takes no memory.
/// </summary>
internal sealed unsafe class Arena : SafeHandle
{
    public Arena(long bytes) : base(0, ownsHandle: true)
    {
        SetHandle(PageMemory.Allocate(bytes));
        Storage = Storage.Unbound();
        Storage.Bind((void*)handle, bytes);
    }

    public override bool IsInvalid => handle == 0;

    public Storage Storage { get; }

    protected override bool ReleaseHandle()
    {
        PageMemory.Free(handle);
        // A program that is run after it was disposed meets a check, not freed memory.
        Storage.Bind(null, 0);
        return true;
    }
}
