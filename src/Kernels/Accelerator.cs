using System.Numerics;
using Convoy.Kernels.OpenCl;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Threading;

namespace Convoy.Kernels;

/// <summary>
/// A device beside the processor that computes convolutions, forward and both gradients (OPS-13, DEV-08): an OpenCL
/// driver of this machine. Its bits are those of the processor, so it is a matter of time alone. Operands are copied
/// there and results back at each call.
/// </summary>
public sealed class Accelerator : IDisposable
{
    [ThreadStatic]
    private static Accelerator? _current;

    private readonly ClSession _session;
    private readonly OrderedLock _lock = new("an accelerator", LockRank.Leaf);
    private readonly ClConv<float> _floats;
    private ClConv<double>? _doubles;

    private Accelerator(ClDevice device)
    {
        (Device, _session) = (device.Info, new ClSession(device));
        try
        {
            _floats = new ClConv<float>(_session);
        }
        catch
        {
            _session.Dispose();
            throw;
        }
    }

    public AcceleratorDevice Device { get; }

    /// <summary>What it did since it was opened.</summary>
    public AcceleratorUse Use => _session.Use;

    /// <summary>The accelerator that this thread entered, or null: the processor.</summary>
    internal static Accelerator? Current => _current;

    /// <summary>All devices, usable or not, in the order of their index; none where nothing is installed.</summary>
    /// <param name="missing">What is not installed, and what to do about it, in one line; null: nothing.</param>
    /// <exception cref="UserException">The library is there and answers with an error.</exception>
    public static IReadOnlyList<AcceleratorDevice> Devices(out string? missing) =>
        [.. ClDevice.All(out missing).Select(device => device.Info)];

    /// <summary>Opens a device, builds its programs and tries them; null: the processor was chosen.</summary>
    /// <param name="spec">Which one.</param>
    /// <exception cref="UserException">It is not there, cannot be used, or gave other bits than the
    /// processor.</exception>
    public static Accelerator? Open(AcceleratorSpec spec)
    {
        if (!spec.IsOpenCl) return null;
        var devices = ClDevice.All(out var missing);
        if (missing is not null) throw Refused($"accelerator {spec}: {missing}; or use accelerator: none");
        var device = spec.Index is { } index ? devices.ElementAtOrDefault(index)
            : devices.FirstOrDefault(d => d.Info.Fault is null) ?? devices[0];
        if (device is null)
            throw Refused($"accelerator {spec} is not among the {devices.Length} devices of this machine "
                + $"({Environment.MachineName}); convoy devices lists them");
        if (device.Info.Fault is { } fault)
            throw Refused($"accelerator {device.Info.Name} ({device.Info.Model}) {fault}; choose another one of convoy "
                + "devices, or accelerator: none");
        var opened = new Accelerator(device);
        try
        {
            if (ConvTrial.Fault(opened) is { } wrong)
                throw Refused($"accelerator {device.Info.Name} ({device.Info.Model}, driver {device.Info.Driver}) {wrong}; "
                    + "update its driver, or use accelerator: none");
        }
        catch
        {
            opened.Dispose();
            throw;
        }

        return opened;
    }

    /// <summary>Convolutions that this thread starts are its own, until the scope ends.</summary>
    public Scope Enter()
    {
        var outer = _current;
        _current = this;
        return new Scope(outer);
    }

    public void Dispose()
    {
        _floats.Dispose();
        _doubles?.Dispose();
        _session.Dispose();
    }

    internal void Forward<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> w, ReadOnlySpan<T> bias, Span<T> y, in Conv2dShape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var alone = _lock.Enter();
        Of<T>().Forward(x, w, bias, y, shape);
    }

    internal void GradInput<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> w, Span<T> dx, in Conv2dShape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var alone = _lock.Enter();
        Of<T>().GradInput(dy, w, dx, shape);
    }

    internal void GradWeight<T>(
        ReadOnlySpan<T> x, ReadOnlySpan<T> dy, Span<T> dw, int nodeStride, in Conv2dShape shape, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var alone = _lock.Enter();
        Of<T>().GradWeight(x, dy, dw, nodeStride, shape, s);
    }

    private static UserException Refused(string text) => new(ExitCode.Accelerator, text);

    private ClConv<T> Of<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float)) return (ClConv<T>)(object)_floats;
        if (typeof(T) != typeof(double) || !Device.HasFloat64)
            throw Refused($"accelerator {Device.Name} ({Device.Model}) has no {typeof(T).Name}: compute in float32 there, "
                + "or leave its scope");
        return (ClConv<T>)(object)(_doubles ??= new ClConv<double>(_session));
    }

    /// <summary>Ends what <see cref="Accelerator.Enter"/> began.</summary>
    public readonly ref struct Scope
    {
        private readonly Accelerator? _outer;

        internal Scope(Accelerator? outer) => _outer = outer;

        public void Dispose() => _current = _outer;
    }
}
