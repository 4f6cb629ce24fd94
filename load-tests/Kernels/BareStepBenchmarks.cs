using BenchmarkDotNet.Attributes;
using Convoy.Kernels;
using Convoy.Kernels.Operators;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// Whole training steps as bare kernel calls, 8 slices, with AdamW: what an executor can reach at best
/// (<see cref="EndToEndBenchmarks"/> has the executor).
/// </summary>
public class BareStepBenchmarks
{
    private const int Slices = 8;

    private static readonly TreeNode[] Nodes = Operands.Cover(Slices);
    private readonly Action _mlp = MlpStep();
    private readonly Action _cnn = CnnStep();
    private readonly Action _gpt = GptStep();

    [Benchmark]
    public void Mlp() => _mlp();

    [Benchmark]
    public void Cnn() => _cnn();

    [Benchmark]
    public void Gpt() => _gpt();

    /// <summary>A dense layer with its buffers.</summary>
    private sealed class Dense(int rows, int inputs, int outputs)
    {
        private readonly float[] _w = Scaled(inputs * outputs, inputs);
        private readonly float[] _b = new float[outputs];
        private readonly float[] _dw = new float[inputs * outputs];
        private readonly float[] _db = new float[outputs];
        private readonly float[] _m = new float[inputs * outputs];
        private readonly float[] _v = new float[inputs * outputs];
        private readonly int[] _starts = Operands.Starts(rows, Slices);
        public readonly float[] Y = new float[rows * outputs];
        public readonly float[] Dx = new float[rows * inputs];

        public void Forward(float[] x, Activation activation) => Convoy.Kernels.Gemm.Run<float>(
            false, false, rows, outputs, inputs, x, inputs, _w, outputs, Y, outputs, _b, activation);

        public void Backward(float[] x, float[] dy, bool wantsDx = true)
        {
            var s = new Segments(_starts, 0, Slices, Nodes);
            SegmentedGemm.Run<float>(inputs, outputs, x, dy, _dw, _dw.Length, s);
            SegmentedSum.Rows<float>(dy, outputs, _db, outputs, s);
            if (!wantsDx) return;
            Convoy.Kernels.Gemm.Run<float>(false, true, rows, inputs, outputs, dy, outputs, _w, outputs, Dx, inputs);
        }

        public void Apply() =>
            Optimizers.AdamW<float>(_w, _dw, _m, _v, new AdamStep(1e-3, 0.9, 0.999, 1e-8, 0.01, 10, 1.0 / rows));

        private static float[] Scaled(int count, int inputs)
        {
            var w = Operands.Numbers(count);
            AxpyTree.Scale(w.AsSpan(), 1 / MathF.Sqrt(inputs));
            return w;
        }
    }

    private sealed class Loss(int classes, int[] targets)
    {
        private readonly float[] _loss = new float[targets.Length];
        private readonly float[] _lse = new float[targets.Length];
        private readonly float[] _one = [.. Enumerable.Repeat(1f, targets.Length)];

        public void Run(float[] logits, float[] d)
        {
            CrossEntropy.Forward<float>(logits, classes, targets, _loss, _lse);
            CrossEntropy.Backward<float>(logits, classes, targets, _lse, _one, d);
        }
    }

    // mlp 784-512-512-10 b128
    private static Action MlpStep()
    {
        const int rows = 128;
        var (x, loss, d) = (Operands.Numbers(rows * 784), new Loss(10, new int[rows]), new float[rows * 10]);
        var (l1, l2, l3) = (new Dense(rows, 784, 512), new Dense(rows, 512, 512), new Dense(rows, 512, 10));
        return () =>
        {
            l1.Forward(x, Activation.Relu);
            l2.Forward(l1.Y, Activation.Relu);
            l3.Forward(l2.Y, Activation.None);
            loss.Run(l3.Y, d);
            l3.Backward(l2.Y, d);
            Elementwise.Binary<float, ReluGrad>(l3.Dx, l2.Y, l3.Dx);
            l2.Backward(l1.Y, l3.Dx);
            Elementwise.Binary<float, ReluGrad>(l2.Dx, l1.Y, l2.Dx);
            l1.Backward(x, l2.Dx, wantsDx: false);
            l1.Apply();
            l2.Apply();
            l3.Apply();
        };
    }

    private sealed class Conv(Conv2dShape shape)
    {
        private readonly Pool2dShape _pool = new(shape.N, shape.COut, shape.OutH, shape.OutW, 2, 2, 2);
        private readonly float[] _w = Operands.Numbers(shape.WeightSize);
        private readonly float[] _b = new float[shape.COut];
        private readonly float[] _dw = new float[shape.WeightSize];
        private readonly float[] _y = new float[shape.N * shape.OutputSize];
        private readonly float[] _dy = new float[shape.N * shape.OutputSize];
        private readonly int[] _places = new int[shape.N * shape.OutputSize / 4];
        private readonly int[] _starts = Operands.Starts(shape.N, Slices);
        public readonly float[] Y = new float[shape.N * shape.OutputSize / 4];
        public readonly float[] Dx = new float[shape.N * shape.InputSize];

        public void Forward(float[] x)
        {
            Conv2d.Forward<float>(x, _w, _b, _y, shape, Activation.Relu);
            Pooling.MaxForward<float>(_y, Y, _places, _pool);
        }

        public void Backward(float[] x, float[] dy, bool wantsDx)
        {
            var s = new Segments(_starts, 0, Slices, Nodes);
            Pooling.MaxBackward<float>(dy, _places, _dy, _pool);
            Elementwise.Binary<float, ReluGrad>(_dy, _y, _dy);
            Conv2d.SegmentedGradWeight<float>(x, _dy, _dw, _dw.Length, shape, s);
            Conv2d.SegmentedGradBias<float>(_dy, _b, _b.Length, shape, s);
            if (wantsDx) Conv2d.GradInput<float>(_dy, _w, Dx, shape);
        }
    }

    // cnn conv16-pool-conv32-pool-fc b64
    private static Action CnnStep()
    {
        const int rows = 64;
        var (x, loss, d) = (Operands.Numbers(rows * 784), new Loss(10, new int[rows]), new float[rows * 10]);
        var c1 = new Conv(new Conv2dShape(rows, 1, 28, 28, 16, 3, 3, Padding: 1));
        var c2 = new Conv(new Conv2dShape(rows, 16, 14, 14, 32, 3, 3, Padding: 1));
        var head = new Dense(rows, 32 * 49, 10);
        return () =>
        {
            c1.Forward(x);
            c2.Forward(c1.Y);
            head.Forward(c2.Y, Activation.None);
            loss.Run(head.Y, d);
            head.Backward(c2.Y, d);
            c2.Backward(c1.Y, head.Dx, wantsDx: true);
            c1.Backward(x, c2.Dx, wantsDx: false);
            head.Apply();
        };
    }

    private sealed class Norm(int rows, int n)
    {
        private readonly float[] _gain = Operands.Numbers(n);
        private readonly float[] _bias = new float[n];
        private readonly float[] _mean = new float[rows];
        private readonly float[] _rstd = new float[rows];
        private readonly float[] _d = new float[2 * n];
        private readonly int[] _starts = Operands.Starts(rows, Slices);
        public readonly float[] Y = new float[rows * n];

        public void Forward(float[] x) => LayerNorm.Forward<float>(x, _gain, _bias, 1e-5f, Y, _mean, _rstd);

        public void Backward(float[] x, float[] dy)
        {
            var s = new Segments(_starts, 0, Slices, Nodes);
            LayerNorm.SegmentedGradGainBias<float>(dy, x, n, _mean, _rstd, _d, n, _d.AsSpan(n), n, s);
            LayerNorm.GradInput<float>(dy, x, _gain, _mean, _rstd, dy);
        }
    }

    private sealed class Block(int batch, int time, int width, int heads)
    {
        private readonly int _rows = batch * time;
        private readonly AttentionShape _shape = new(batch, time, heads, width / heads, 3 * width, width, true);
        private readonly Norm _n1 = new(batch * time, width);
        private readonly Norm _n2 = new(batch * time, width);
        private readonly Dense _qkv = new(batch * time, width, 3 * width);
        private readonly Dense _o = new(batch * time, width, width);
        private readonly Dense _up = new(batch * time, width, 4 * width);
        private readonly Dense _down = new(batch * time, 4 * width, width);
        private readonly float[] _a = new float[batch * time * width];
        private readonly float[] _lse = new float[batch * time * heads];
        private readonly float[] _g = new float[batch * time * 4 * width];
        private readonly float[] _dqkv = new float[batch * time * 3 * width];
        private readonly float[] _x1 = new float[batch * time * width];
        public readonly float[] Y = new float[batch * time * width];

        public void Forward(float[] x)
        {
            _n1.Forward(x);
            _qkv.Forward(_n1.Y, Activation.None);
            var qkv = _qkv.Y;
            Attention.Forward<float>(qkv, qkv.AsSpan(width), qkv.AsSpan(2 * width), _a, _lse, _shape);
            _o.Forward(_a, Activation.None);
            Elementwise.Binary<float, Add>(x, _o.Y, _x1);
            _n2.Forward(_x1);
            _up.Forward(_n2.Y, Activation.None);
            Elementwise.Unary<float, Gelu>(_up.Y, _g);
            _down.Forward(_g, Activation.None);
            Elementwise.Binary<float, Add>(_x1, _down.Y, Y);
        }

        /// <summary>dy becomes dx.</summary>
        public void Backward(float[] x, float[] dy)
        {
            _down.Backward(_g, dy);
            Elementwise.Binary<float, GeluGrad>(_down.Dx, _up.Y, _down.Dx);
            _up.Backward(_n2.Y, _down.Dx);
            _n2.Backward(_x1, _up.Dx);
            Elementwise.Binary<float, Add>(dy, _up.Dx, dy);
            _o.Backward(_a, dy);
            var qkv = _qkv.Y;
            Attention.Backward<float>(
                qkv, qkv.AsSpan(width), qkv.AsSpan(2 * width), _a, _lse, _o.Dx, _dqkv, _dqkv.AsSpan(width),
                _dqkv.AsSpan(2 * width), _shape);
            _qkv.Backward(_n1.Y, _dqkv);
            _n1.Backward(x, _qkv.Dx);
            Elementwise.Binary<float, Add>(dy, _qkv.Dx, dy);
            _qkv.Apply();
            _o.Apply();
            _up.Apply();
            _down.Apply();
        }
    }

    // gpt L4 D128 T128 b8
    private static Action GptStep()
    {
        var (batch, time, width, symbols) = (8, 128, 128, 65);
        var rows = batch * time;
        var (table, places) = (Operands.Numbers(symbols * width), Operands.Numbers(time * width));
        var (ids, x, dx) = (new int[rows], new float[rows * width], new float[rows * width]);
        for (var i = 0; i < rows; i++) ids[i] = i * 7 % symbols;
        var blocks = Enumerable.Range(0, 4).Select(_ => new Block(batch, time, width, 4)).ToArray();
        var (norm, head, d) = (new Norm(rows, width), new Dense(rows, width, symbols), new float[rows * symbols]);
        var loss = new Loss(symbols, ids);
        var (dTable, dPlaces) = (new float[table.Length], new float[places.Length]);
        var (starts, samples) = (Operands.Starts(rows, Slices), Operands.Starts(batch, Slices));
        return () =>
        {
            Embedding.Gather<float>(table, width, ids, x);
            Elementwise.BinaryRow<float, Add>(x, places, x);
            var input = x;
            foreach (var block in blocks)
            {
                block.Forward(input);
                input = block.Y;
            }

            norm.Forward(input);
            head.Forward(norm.Y, Activation.None);
            loss.Run(head.Y, d);
            head.Backward(norm.Y, d);
            norm.Backward(input, head.Dx);
            head.Dx.CopyTo(dx, 0);
            for (var i = 3; i >= 0; i--) blocks[i].Backward(i == 0 ? x : blocks[i - 1].Y, dx);
            Embedding.SegmentedScatterAdd<float>(
                ids, dx, width, symbols, dTable, dTable.Length, new Segments(starts, 0, Slices, Nodes));
            SegmentedSum.Rows<float>(
                dx, time * width, dPlaces, dPlaces.Length, new Segments(samples, 0, Slices, Nodes));
        };
    }
}
