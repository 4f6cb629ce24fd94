using System.Runtime.InteropServices;
using Convoy.Kernels;

namespace Convoy.Cli.Bench;

/// <summary>
/// Float32 numbers where a compiled program has its own: in pages outside of the collected heap, huge ones where Linux
/// grants them. In pages of 4 KB a loop over 64 MB waits for addresses as well.
/// </summary>
internal sealed unsafe class Operand : SafeHandle
{
    private readonly int _count;

    public Operand(int count) : base(0, ownsHandle: true)
    {
        SetHandle(PageMemory.Allocate((long)count * sizeof(float)));
        _count = count;
        // Pages come when they are written: not while a loop is timed.
        Span.Clear();
    }

    public override bool IsInvalid => handle == 0;

    public Span<float> Span => new((void*)handle, _count);

    protected override bool ReleaseHandle()
    {
        PageMemory.Free(handle);
        return true;
    }
}
