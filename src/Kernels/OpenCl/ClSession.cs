using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Convoy.Shared;

namespace Convoy.Kernels.OpenCl;

/// <summary>One device in use: its context and queue, its buffers, and what was sent through them.</summary>
internal sealed unsafe class ClSession : IDisposable
{
    /// <summary>Far longer than a piece of work takes on any device.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Work goes to the device in pieces of so many bytes at most, where samples or slices allow it.</summary>
    private const long PieceBytesMost = 256 << 20;

    private const ulong ReadWrite = 1;
    private const int Complete = 0;

    private readonly ClDevice _device;
    private readonly nint _context;
    private readonly nint _queue;
    private readonly nint[] _buffers = new nint[(int)ClSlot.Count];
    private readonly long[] _bytes = new long[(int)ClSlot.Count];
    private readonly ManualResetEventSlim _ended = new();
    private readonly GCHandle _endedHandle;
    private long _sent, _received, _launches, _tables;
    private bool _isLost;

    public ClSession(ClDevice device)
    {
        _device = device;
        var handle = device.Handle;
        int error;
        _context = Cl.clCreateContext(null, 1, &handle, null, null, &error);
        Check(error, "clCreateContext");
        _queue = Cl.clCreateCommandQueue(_context, handle, 0, &error);
        if (error != 0) Cl.clReleaseContext(_context);
        Check(error, "clCreateCommandQueue");
        _endedHandle = GCHandle.Alloc(_ended);
    }

    public nint Context => _context;
    public nint Device => _device.Handle;
    public string Name => _device.Info.Name;
    public long PieceBytes => Math.Min(PieceBytesMost, _device.PieceBytesMax);

    public AcceleratorUse Use => new(_launches, _sent, _received, _bytes.Sum() + _tables);

    /// <summary>The buffer of this slot with room for so many bytes; what was in it is gone where it grows.</summary>
    public nint Room(ClSlot slot, long bytes)
    {
        ref var buffer = ref _buffers[(int)slot];
        if (_bytes[(int)slot] >= bytes && buffer != 0) return buffer;
        if (buffer != 0) Cl.clReleaseMemObject(buffer);
        (buffer, _bytes[(int)slot]) = (0, 0);
        buffer = Create(bytes);
        _bytes[(int)slot] = bytes;
        return buffer;
    }

    /// <summary>The memory of the span stays where it is until <see cref="Read"/> or <see cref="Finish"/>.</summary>
    public nint Write<T>(ClSlot slot, ReadOnlySpan<T> values) where T : unmanaged
    {
        var buffer = Room(slot, Math.Max(1, (long)values.Length * sizeof(T)));
        Write(buffer, values);
        return buffer;
    }

    /// <summary>A buffer of its own, filled before this returns; given back with <see cref="Free"/>.</summary>
    public nint Table<T>(ReadOnlySpan<T> values) where T : unmanaged
    {
        var bytes = Math.Max(1, (long)values.Length * sizeof(T));
        var buffer = Create(bytes);
        _tables += bytes;
        fixed (T* from = values)
        {
            Write(buffer, values);
            Finish();
        }

        return buffer;
    }

    public void Free(nint buffer, long bytes)
    {
        Cl.clReleaseMemObject(buffer);
        _tables -= Math.Max(1, bytes);
    }

    public void Launch(nint kernel, nuint columns, nuint rows, nuint groups, bool tiled)
    {
        var global = stackalloc nuint[3] { columns, rows, groups };
        var local = stackalloc nuint[3] { ConvTiles.ItemColumns, ConvTiles.ItemRows, 1 };
        Check(Cl.clEnqueueNDRangeKernel(_queue, kernel, 3, null, global, tiled ? local : null, 0, null, null),
            "clEnqueueNDRangeKernel");
        _launches++;
    }

    public void Set<T>(nint kernel, uint index, T value) where T : unmanaged =>
        Check(Cl.clSetKernelArg(kernel, index, (nuint)sizeof(T), &value), "clSetKernelArg");

    /// <summary>Waits for all that was asked for, then fetches.</summary>
    public void Read<T>(nint buffer, long firstElement, Span<T> to) where T : unmanaged
    {
        Finish();
        fixed (T* place = to)
        {
            Check(Cl.clEnqueueReadBuffer(_queue, buffer, 1, (nuint)(firstElement * sizeof(T)),
                (nuint)((long)to.Length * sizeof(T)), place, 0, null, null), "clEnqueueReadBuffer");
        }

        _received += (long)to.Length * sizeof(T);
    }

    /// <summary>Waits until the device has done all that it was told, at most <see cref="Deadline"/>.</summary>
    public void Finish()
    {
        if (_isLost) throw Lost();
        nint marker;
        Check(Cl.clEnqueueMarkerWithWaitList(_queue, 0, null, &marker), "clEnqueueMarkerWithWaitList");
        _ended.Reset();
        Check(Cl.clSetEventCallback(marker, Complete, &OnEnded, (void*)GCHandle.ToIntPtr(_endedHandle)),
            "clSetEventCallback");
        Check(Cl.clFlush(_queue), "clFlush");
        if (!_ended.Wait(Deadline))
        {
            // The answer may still come: nothing that it touches is ever given back.
            _isLost = true;
            throw Lost();
        }

        Cl.clReleaseEvent(marker);
        Check(Cl.clFinish(_queue), "clFinish");
    }

    public void Check(int code, string call) => ClCode.Check(code, call, Name);

    public void Dispose()
    {
        if (_isLost) return;
        foreach (var buffer in _buffers)
            if (buffer != 0) Cl.clReleaseMemObject(buffer);
        Cl.clReleaseCommandQueue(_queue);
        Cl.clReleaseContext(_context);
        _endedHandle.Free();
        _ended.Dispose();
    }

    [UnmanagedCallersOnly]
    private static void OnEnded(nint marker, int status, void* state) =>
        Unsafe.As<ManualResetEventSlim>(GCHandle.FromIntPtr((nint)state).Target)!.Set();

    private UserException Lost() => new(ExitCode.Accelerator,
        $"accelerator {Name}: no answer within {Deadline.TotalSeconds:0} s to a convolution; its driver or the device "
        + "hangs: restart it, or use accelerator: none");

    private nint Create(long bytes)
    {
        int error;
        var buffer = Cl.clCreateBuffer(_context, ReadWrite, (nuint)bytes, null, &error);
        Check(error, $"clCreateBuffer of {bytes} bytes");
        return buffer;
    }

    private void Write<T>(nint buffer, ReadOnlySpan<T> values) where T : unmanaged
    {
        if (_isLost) throw Lost();
        if (values.IsEmpty) return;
        fixed (T* from = values)
        {
            Check(Cl.clEnqueueWriteBuffer(_queue, buffer, 0, 0, (nuint)((long)values.Length * sizeof(T)), from, 0, null,
                null), "clEnqueueWriteBuffer");
        }

        _sent += (long)values.Length * sizeof(T);
    }
}

/// <summary>Buffers of a session that grow to the largest call and stay.</summary>
internal enum ClSlot
{
    Image,
    Weights,
    Bias,
    Result,
    Starts,
    Pairs,
    Count,
}
