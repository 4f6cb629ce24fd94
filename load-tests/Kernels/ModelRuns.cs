using Convoy.Kernels;
using Convoy.Kernels.Operators;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Kernels;

internal static class ModelRuns
{
    public static void Conv()
    {
        foreach (var shape in (Conv2dShape[])
            [new(64, 1, 28, 28, 16, 3, 3, Padding: 1), new(64, 16, 14, 14, 32, 3, 3, Padding: 1),
             new(64, 32, 8, 8, 32, 3, 3, Padding: 1), new(16, 64, 28, 28, 64, 3, 3, Padding: 1)])
        {
            ConvOne(shape);
        }
    }

    private static void ConvOne(Conv2dShape shape)
    {
        var (x, w) = (Measure.Numbers(shape.N * shape.InputSize), Measure.Numbers(shape.WeightSize, 2));
        var (y, dx) = (Measure.Numbers(shape.N * shape.OutputSize, 3), new float[x.Length]);
        var (dw, db) = (new float[w.Length], new float[shape.COut]);
        var starts = new int[9];
        for (var i = 0; i < 9; i++) starts[i] = shape.N * i / 8;
        var nodes = new SliceTree(8).Cover(0, 8);
        var flops = 2.0 * shape.N * shape.OutputSize * shape.Terms;
        var name = $"{shape.N}x{shape.CIn}x{shape.H}x{shape.W} to {shape.COut}, {shape.Kh}x{shape.Kw}";
        Measure.Report("conv", name, Measure.Seconds(() => Conv2d.Forward<float>(x, w, db, y, shape)), flops);
        Measure.Report("conv-dx", name, Measure.Seconds(() => Conv2d.GradInput<float>(y, w, dx, shape)), flops);
        Measure.Report("conv-dw", name, Measure.Seconds(() => Conv2d.SegmentedGradWeight<float>(
            x, y, dw, dw.Length, shape, new Segments(starts, 0, 8, nodes))), flops);
        Measure.Report("conv-db", name, Measure.Seconds(() => Conv2d.SegmentedGradBias<float>(
            y, db, db.Length, shape, new Segments(starts, 0, 8, nodes))), 0, y.Length * 4.0);
        var pool = new Pool2dShape(shape.N, shape.COut, shape.OutH, shape.OutW, 2, 2, 2);
        var (p, at) = (new float[pool.OutputSize], new int[pool.OutputSize]);
        var bytes = y.Length * 4.0;
        Measure.Report("maxpool", name, Measure.Seconds(() => Pooling.MaxForward<float>(y, p, at, pool)), 0, bytes);
        Measure.Report("maxpool-dx", name, Measure.Seconds(() => Pooling.MaxBackward<float>(p, at, y, pool)), 0, bytes);
    }

    public static void AttentionRuns()
    {
        foreach (var (batch, time, heads, size) in ((int, int, int, int)[])
            [(8, 128, 4, 32), (8, 64, 4, 16), (4, 256, 4, 64)])
        {
            var d = heads * size;
            var shape = new AttentionShape(batch, time, heads, size, 3 * d, d, true);
            var (qkv, gradient) = (Measure.Numbers(batch * time * 3 * d), new float[batch * time * 3 * d]);
            var (o, dOut) = (new float[batch * time * d], Measure.Numbers(batch * time * d));
            var lse = new float[batch * heads * time];
            var name = $"b{batch} T{time} h{heads} d{size} causal";
            var flops = 2.0 * batch * heads * time * (time + 1) * size;
            Measure.Report("attention", name, Measure.Seconds(() => Attention.Forward<float>(
                qkv, qkv.AsSpan(d), qkv.AsSpan(2 * d), o, lse, shape)), flops);
            Measure.Report("attention-back", name, Measure.Seconds(() => Attention.Backward<float>(
                qkv, qkv.AsSpan(d), qkv.AsSpan(2 * d), o, lse, dOut, gradient, gradient.AsSpan(d),
                gradient.AsSpan(2 * d), shape)), 2.5 * flops);
        }
    }

    public static void Rows()
    {
        const int count = 1 << 16;
        var (x, y, z) = (Measure.Numbers(count), Measure.Numbers(count, 2), new float[count]);
        Unary<Exp>("exp", x, z);
        Unary<Log>("log", x, z);
        Unary<Tanh>("tanh", x, z);
        Unary<Erf>("erf", x, z);
        Unary<Gelu>("gelu", x, z);
        Unary<Relu>("relu", x, z);
        Binary<Add>("add", x, y, z);
        Binary<GeluGrad>("gelu-grad", x, y, z);
        var (rows, n) = (512, 128);
        var (gain, mean, rstd) = (Measure.Numbers(n), new float[rows], new float[rows]);
        var starts = new int[9];
        for (var i = 0; i < 9; i++) starts[i] = rows * i / 8;
        var nodes = new SliceTree(8).Cover(0, 8);
        Measure.Report("layernorm", "512x128", Measure.Seconds(() => LayerNorm.Forward<float>(
            x, gain, gain, 1e-5f, z, mean, rstd)), 0, 8.0 * count);
        Measure.Report("layernorm-dx", "512x128", Measure.Seconds(() => LayerNorm.GradInput<float>(
            y, x, gain, mean, rstd, z)), 0, 12.0 * count);
        var (dGain, dBias) = (new float[n], new float[n]);
        Measure.Report("layernorm-dgain", "512x128", Measure.Seconds(() => LayerNorm.SegmentedGradGainBias<float>(
            y, x, n, mean, rstd, dGain, n, dBias, n, new Segments(starts, 0, 8, nodes))), 0, 12.0 * count);
        Measure.Report("softmax", "512x128", Measure.Seconds(() => Softmax.Forward<float>(x, n, z)), 0, 8.0 * count);
        var (m, v) = (new float[count], new float[count]);
        Measure.Report("adamw", "65536", Measure.Seconds(() => Optimizers.AdamW<float>(
            z, x, m, v, new AdamStep(1e-9, 0.9, 0.999, 1e-8, 0.01, 10))), 0, 28.0 * count);
        var blocks = new double[SquaredNorm.BlockCount(count)];
        Measure.Report(
            "squared-norm", "65536", Measure.Seconds(() => SquaredNorm.Blocks<float>(x, blocks)), 0, 4.0 * count);
    }

    private static void Unary<TOp>(string name, float[] x, float[] z) where TOp : struct, IUnaryOperator =>
        Measure.Report(
            name, $"{x.Length}", Measure.Seconds(() => Elementwise.Unary<float, TOp>(x, z)), 0, 8.0 * x.Length);

    private static void Binary<TOp>(string name, float[] x, float[] y, float[] z) where TOp : struct, IBinaryOperator =>
        Measure.Report(
            name, $"{x.Length}", Measure.Seconds(() => Elementwise.Binary<float, TOp>(x, y, z)), 0, 12.0 * x.Length);
}
