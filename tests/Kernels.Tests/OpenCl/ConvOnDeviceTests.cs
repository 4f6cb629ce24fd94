using System.Numerics;
using Convoy.Kernels;
using Convoy.Kernels.OpenCl;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests.OpenCl;

// OPS-13, K-4 for an accelerator: convolution forward and both gradients have the bits of the processor.
public sealed class ConvOnDeviceTests(OpenedDevice opened) : IClassFixture<OpenedDevice>
{
    private static readonly Conv2dShape[] Shapes =
    [
        new(2, 1, 28, 28, 16, 3, 3, Padding: 1),
        new(3, 40, 7, 6, 33, 3, 3, Stride: 2, Padding: 1),
        new(2, 2, 11, 10, 3, 5, 2, Stride: 3, Padding: 2, Dilation: 2),
        new(2, 8, 9, 9, 8, 3, 3, Padding: 1, Groups: 8),
        new(70, 1, 2, 2, 2, 2, 2),
        new(4, 60, 5, 5, 70, 3, 3, Padding: 1, Groups: 2),
        new(2, 3, 8, 8, 4, 1, 1, Stride: 2),
        new(2, 2, 3, 4, 2, 3, 3, Stride: 4, Padding: 1),
        new(1, 4, 3, 3, 4, 2, 2, Padding: 3),
        new(0, 1, 4, 4, 1, 3, 3),
    ];

    private delegate void Run<T>(Span<T> to);

    [Fact]
    public void K4_ListedShapes_HaveTheBitsOfTheProcessor()
    {
        foreach (var shape in Shapes)
        {
            Compare(shape, (n, c) => n.Floats(c), (n, c) => n.Floats(c));
            Compare(shape, (n, c) => n.Odd(c), (n, c) => n.Floats(c));
            Compare(shape, (n, c) => n.Floats(c), (n, c) => n.Odd(c));
            Compare(shape, (n, c) => Tiny(n.Floats(c)), (n, c) => Tiny(n.Floats(c)));
            if (opened.There.Device.HasFloat64)
                Compare(shape, (n, c) => Wide(n.Floats(c)), (n, c) => Wide(n.Floats(c)));
        }
    }

    [Fact]
    public void K4_RandomShapes_HaveTheBitsOfTheProcessor()
    {
        var random = new Numbers(77);
        for (var i = 0; i < 40; i++)
        {
            var groups = random.Int(1, 4);
            var (kh, kw, dilation) = (random.Int(1, 4), random.Int(1, 4), random.Int(1, 3));
            Compare(new Conv2dShape(random.Int(1, 6), groups * random.Int(1, 12), random.Int(7, 14), random.Int(7, 14),
                groups * random.Int(1, 20), kh, kw, random.Int(1, 4), random.Int(0, 3), dilation, groups),
                (n, c) => n.Odd(c), (n, c) => n.Floats(c));
        }
    }

    [Fact]
    public void K3_WeightGradients_DoNotDependOnTheDeal()
    {
        var numbers = new Numbers(23);
        var shape = new Conv2dShape(1, 3, 6, 6, 4, 3, 3, Padding: 1);
        var starts = numbers.RowStarts(7, 9);
        var x = numbers.Floats((starts[^1] + 1) * shape.InputSize);
        var dy = numbers.Floats((starts[^1] + 1) * shape.OutputSize);
        using var scope = opened.There.Enter();
        new Deal(7, starts, shape.WeightSize, (c, stride, first, in s) => Conv2d.SegmentedGradWeight<float>(
            x.AsSpan(first * shape.InputSize), dy.AsSpan(first * shape.OutputSize), c, stride,
            shape with { N = s.Rows }, s)).Check(numbers);
    }

    [Theory]
    [InlineData(Activation.Relu)]
    [InlineData(Activation.Tanh)]
    [InlineData(Activation.Sigmoid)]
    [InlineData(Activation.Gelu)]
    public void Activations_FollowTheBias(Activation activation)
    {
        var (numbers, s) = (new Numbers(5), new Conv2dShape(2, 3, 6, 6, 5, 3, 3));
        var (x, w, bias) = (numbers.Odd(s.N * s.InputSize), numbers.Floats(s.WeightSize), numbers.Floats(s.COut));
        Same<float>(s.N * s.OutputSize, y => Conv2d.Forward<float>(x, w, bias, y, s, activation), $"{activation}");
    }

    [Fact]
    public void Use_CountsWhatWasSentAndLaunched_AndMemoryStays()
    {
        var s = new Conv2dShape(2, 3, 6, 6, 5, 3, 3);
        var (x, w, y) = (new float[s.N * s.InputSize], new float[s.WeightSize], new float[s.N * s.OutputSize]);
        using var scope = opened.There.Enter();
        Conv2d.Forward<float>(x, w, default, y, s);
        var before = opened.There.Use;
        Conv2d.Forward<float>(x, w, default, y, s);
        var after = opened.There.Use;
        Assert.Equal(before.Launches + 1, after.Launches);
        Assert.Equal(4L * (x.Length + w.Length), after.BytesSent - before.BytesSent);
        Assert.Equal(4L * y.Length, after.BytesReceived - before.BytesReceived);
        Assert.Equal(before.MemoryBytes, after.MemoryBytes);
    }

    private void Compare<T>(
        Conv2dShape s, Func<Numbers, int, T[]> images, Func<Numbers, int, T[]> weights)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var numbers = new Numbers(21);
        var (x, dy) = (images(numbers, s.N * s.InputSize), images(numbers, s.N * s.OutputSize));
        var (w, bias) = (weights(numbers, s.WeightSize), weights(numbers, s.COut));
        Same<T>(dy.Length, y => Conv2d.Forward<T>(x, w, bias, y, s), $"{s}");
        Same<T>(x.Length, dx => Conv2d.GradInput<T>(dy, w, dx, s), $"input gradient of {s}");
        var starts = new int[5];
        for (var i = 1; i < 5; i++) starts[i] = i == 4 ? s.N : numbers.Int(starts[i - 1], s.N + 1);
        var nodes = new SliceTree(4).Cover(0, 4);
        Same<T>(w.Length,
            dw => Conv2d.SegmentedGradWeight<T>(x, dy, dw, w.Length, s, new Segments(starts, 0, 4, nodes)),
            $"weight gradient of {s}");
    }

    private void Same<T>(int count, Run<T> run, string what) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (expected, actual) = (new T[count], new T[count]);
        run(expected);
        using (opened.There.Enter()) run(actual);
        for (var i = 0; i < count; i++)
        {
            var isSame = T.IsNaN(expected[i]) ? T.IsNaN(actual[i])
                : expected[i] == actual[i] && T.IsNegative(expected[i]) == T.IsNegative(actual[i]);
            Assert.True(isSame, $"{what}: element {i} of {count} is {actual[i]}, expected {expected[i]}");
        }
    }

    private static float[] Tiny(float[] values) => [.. values.Select(v => v * 1e-21f)];

    private static double[] Wide(float[] values) => [.. values.Select(v => v / 3.0)];
}

/// <summary>The device that the tests of a class share; without one they are skipped, with the reason.</summary>
public sealed class OpenedDevice : IDisposable
{
    private readonly Accelerator? _there;
    private readonly string? _missing;

    public OpenedDevice()
    {
        var devices = Accelerator.Devices(out _missing);
        if (_missing is null && devices.All(d => d.Fault is not null)) _missing = "no OpenCL device can be used";
        if (_missing is null) _there = Accelerator.Open(new AcceleratorSpec(true));
    }

    public Accelerator There
    {
        get
        {
            Assert.SkipWhen(_missing is not null, _missing ?? "");
            return _there!;
        }
    }

    public void Dispose() => _there?.Dispose();
}
