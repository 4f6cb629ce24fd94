using BenchmarkDotNet.Attributes;
using Convoy.Kernels;
using Convoy.Kernels.Operators;
using Convoy.Kernels.Reference;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// What vectors and threads are worth: plain loops over scalars, vectors on one thread (the base of the column Ratio),
/// vectors on all processors. The bits of the three are equal.
/// </summary>
public class SpeedUpBenchmarks
{
    private const int Size = 256, Width = 128, Count = 1 << 20;
    private readonly float[] _x = Operands.Numbers(Count);
    private readonly float[] _y = Operands.Numbers(Count, 2);
    private readonly float[] _z = new float[Count];
    private readonly float[] _m = new float[Count];
    private readonly float[] _v = new float[Count];
    private readonly AdamStep _step = new(1e-9, 0.9, 0.999, 1e-8, 0, 10);
    private ThreadTeam? _team;

    public enum Kernel
    {
        Relu,
        Gelu,
        Add,
        Softmax,
        Adam,
        Gemm,
    }

    [ParamsAllValues]
    public Kernel Of { get; set; }

    /// <summary>What the last call wrote.</summary>
    internal ReadOnlySpan<float> Result => _z;

    [GlobalSetup]
    public void Setup() => _team = new ThreadTeam(Math.Min(Environment.ProcessorCount, ThreadTeam.ThreadsMax));

    [GlobalCleanup]
    public void Cleanup() => _team?.Dispose();

    [Benchmark]
    public void Scalars()
    {
        switch (Of)
        {
            case Kernel.Relu: ElementwiseReference.Unary<float, Relu>(_x, _z); break;
            case Kernel.Gelu: ElementwiseReference.Unary<float, Gelu>(_x, _z); break;
            case Kernel.Add: ElementwiseReference.Binary<float, Add>(_x, _y, _z); break;
            case Kernel.Softmax: SoftmaxReference.Forward<float>(_x, Count / Width, Width, _z); break;
            case Kernel.Adam: OptimizerReference.Adam<float>(_z, _x, _m, _v, _step, decoupled: false); break;
            default:
                GemmReference.Run<float>(
                    false, false, Size, Size, Size, _x, Size, _y, Size, _z, Size, default, Activation.None,
                    accumulate: false);
                break;
        }
    }

    [Benchmark(Baseline = true)]
    public void Vectors()
    {
        switch (Of)
        {
            case Kernel.Relu: Elementwise.Unary<float, Relu>(_x, _z); break;
            case Kernel.Gelu: Elementwise.Unary<float, Gelu>(_x, _z); break;
            case Kernel.Add: Elementwise.Binary<float, Add>(_x, _y, _z); break;
            case Kernel.Softmax: Softmax.Forward<float>(_x, Width, _z); break;
            case Kernel.Adam: Optimizers.Adam<float>(_z, _x, _m, _v, _step); break;
            default:
                Convoy.Kernels.Gemm.Run<float>(false, false, Size, Size, Size, _x, Size, _y, Size, _z, Size);
                break;
        }
    }

    [Benchmark]
    public void VectorsAndThreads()
    {
        using var team = _team!.Enter();
        Vectors();
    }
}
