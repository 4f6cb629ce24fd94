using BenchmarkDotNet.Attributes;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>C[M, N] = op(A) op(B): squares in all four transposes, and the shapes of the models.</summary>
public class GemmBenchmarks : TeamBenchmarks, ICounted
{
    private float[] _a = [], _b = [], _c = [];
    private (int M, int N, int K) _shape;

    [Params("64x64x64", "256x256x256", "512x512x512", "1024x1024x1024", "128x512x784", "1024x384x128", "1024x65x128")]
    public string MxNxK { get; set; } = "64x64x64";

    protected override void Prepare()
    {
        var (m, n, k) = _shape = Operands.Shape(MxNxK);
        (_a, _b, _c) = (Operands.Numbers(m * k), Operands.Numbers(k * n, 2), new float[m * n]);
    }

    [Benchmark]
    public void Nn() => Run(false, false);

    [Benchmark]
    public void Nt() => Run(false, true);

    [Benchmark]
    public void Tn() => Run(true, false);

    [Benchmark]
    public void Tt() => Run(true, true);

    Work ICounted.WorkOf(string method) => Operands.Product(MxNxK);

    private void Run(bool ta, bool tb)
    {
        var (m, n, k) = _shape;
        using var team = Together();
        Gemm.Run<float>(ta, tb, m, n, k, _a, ta ? m : k, _b, tb ? k : n, _c, n);
    }
}

/// <summary>
/// Weight gradients C[M, N] = sum over slices of A_s^T B_s, by the slice tree: what few rows in a slice cost.
/// </summary>
public class SegmentedGemmBenchmarks : TeamBenchmarks, ICounted
{
    private float[] _a = [], _b = [], _c = [];
    private int[] _starts = [];
    private TreeNode[] _cover = [];
    private (int M, int N, int Rows) _shape;

    [Params(1, 8)]
    public int Slices { get; set; } = 1;

    [Params("784x512x128", "512x10x128", "128x384x1024", "512x128x1024")]
    public string MxNxRows { get; set; } = "784x512x128";

    protected override void Prepare()
    {
        var (m, n, rows) = _shape = Operands.Shape(MxNxRows);
        (_a, _b, _c) = (Operands.Numbers(rows * m), Operands.Numbers(rows * n, 2), new float[m * n]);
        (_starts, _cover) = (Operands.Starts(rows, Slices), Operands.Cover(Slices));
    }

    [Benchmark]
    public void WeightGradient()
    {
        var (m, n, _) = _shape;
        using var team = Together();
        SegmentedGemm.Run<float>(m, n, _a, _b, _c, m * n, new Segments(_starts, 0, Slices, _cover));
    }

    Work ICounted.WorkOf(string method) => Operands.Product(MxNxRows);
}
