using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Reference;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests.Rows;

// K-4 for the kernels that work on rows: horizontal sums have 16 virtual lanes with every register width.
public sealed unsafe class RowTests
{
    private sealed class Case(int rows, int n, bool odd) : IWidthCheck
    {
        private readonly Numbers _numbers = new((uint)((rows * 1000) + n));

        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            var what = $"{rows} x {n}, {width}";
            var x = odd ? _numbers.Odd(rows * n) : _numbers.Floats(rows * n);
            var dy = odd ? _numbers.Odd(rows * n) : _numbers.Floats(rows * n);
            var (expected, actual) = (new float[rows * n], new float[rows * n]);
            fixed (float* px = x, pdy = dy, pa = actual)
            {
                SoftmaxReference.Forward<float>(x, rows, n, expected);
                FloatSoftmax.Forward<V>(px, rows, n, pa);
                Bits.Equal(expected, actual, $"softmax {what}");
                SoftmaxReference.Backward<float>(x, dy, rows, n, expected);
                FloatSoftmax.Backward<V>(px, pdy, rows, n, pa);
                Bits.Equal(expected, actual, $"softmax gradient {what}");
                SoftmaxReference.LogForward<float>(x, rows, n, expected);
                FloatSoftmax.LogForward<V>(px, rows, n, pa);
                Bits.Equal(expected, actual, $"log-softmax {what}");
                SoftmaxReference.LogBackward<float>(x, dy, rows, n, expected);
                FloatSoftmax.LogBackward<V>(px, pdy, rows, n, pa);
                Bits.Equal(expected, actual, $"log-softmax gradient {what}");
            }

            Sums<V>(x, dy, what);
            Loss<V>(x, what);
            Norm<V>(x, dy, what);
        }

        private void Sums<V>(float[] x, float[] dy, string what) where V : unmanaged, ILanes<V>
        {
            var (expected, actual) = (new float[rows], new float[rows]);
            fixed (float* px = x, pdy = dy, pa = actual)
            {
                ReduceReference.SumRows<float>(x, rows, n, expected);
                FloatRows.Sum<V>(px, rows, n, pa);
                Bits.Equal(expected, actual, $"sum {what}");
                ReduceReference.DotRows<float>(x, dy, rows, n, expected);
                FloatRows.Dot<V>(px, pdy, rows, n, pa);
                Bits.Equal(expected, actual, $"dot {what}");
            }
        }

        private void Loss<V>(float[] x, string what) where V : unmanaged, ILanes<V>
        {
            var targets = new int[rows];
            for (var r = 0; r < rows; r++) targets[r] = _numbers.Int(-1, n);
            var (loss1, loss2, lse1, lse2) = (new float[rows], new float[rows], new float[rows], new float[rows]);
            var (d1, d2, dLoss) = (new float[rows * n], new float[rows * n], _numbers.Floats(rows));
            SoftmaxReference.CrossEntropy<float>(x, n, targets, loss1, lse1);
            SoftmaxReference.CrossEntropyBackward<float>(x, n, targets, lse1, dLoss, d1);
            fixed (float* px = x, pl = loss2, ps = lse2, pd = d2, pdl = dLoss)
            fixed (int* pt = targets)
            {
                FloatSoftmax.CrossEntropy<V>(px, rows, n, pt, pl, ps);
                FloatSoftmax.CrossEntropyBackward<V>(px, rows, n, pt, ps, pdl, pd);
            }

            Bits.Equal(loss1, loss2, $"cross entropy {what}");
            Bits.Equal(lse1, lse2, $"log-sum-exp {what}");
            Bits.Equal(d1, d2, $"cross entropy gradient {what}");
        }

        private void Norm<V>(float[] x, float[] dy, string what) where V : unmanaged, ILanes<V>
        {
            var (gain, bias) = (_numbers.Floats(n), _numbers.Floats(n));
            var (y1, y2) = (new float[rows * n], new float[rows * n]);
            var (m1, m2, s1, s2) = (new float[rows], new float[rows], new float[rows], new float[rows]);
            LayerNormReference.Forward<float>(x, rows, gain, bias, 1e-5f, y1, m1, s1);
            fixed (float* px = x, pdy = dy, pg = gain, pb = bias, py = y2, pm = m2, ps = s2)
            {
                FloatLayerNorm.Forward<V>(px, rows, n, pg, pb, 1e-5f, py, pm, ps);
                Bits.Equal(y1, y2, $"layer norm {what}");
                Bits.Equal(m1, m2, $"mean {what}");
                Bits.Equal(s1, s2, $"rstd {what}");
                LayerNormReference.GradInput<float>(dy, x, rows, gain, m1, s1, y1);
                FloatLayerNorm.GradInput<V>(pdy, px, rows, n, pg, pm, ps, py);
                Bits.Equal(y1, y2, $"layer norm gradient {what}");
            }
        }
    }

    [Fact]
    public void K4_row_kernels_have_the_bits_of_the_reference()
    {
        // From 4,097 on, sums of layer norm have more than one block.
        foreach (var n in (int[])[1, 2, 3, 7, 8, 10, 15, 16, 17, 31, 32, 65, 128, 300, 4_096, 4_097, 8_208])
        {
            Widths.Check(new Case(3, n, odd: false));
            Widths.Check(new Case(5, n, odd: true));
        }
    }

    private sealed class SegmentedCase(int n, int slices, int rowsMax, bool odd) : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            var numbers = new Numbers((uint)(n + slices));
            var starts = numbers.RowStarts(slices, rowsMax);
            var rows = starts[^1];
            float[] New(int count) => odd ? numbers.Odd(count) : numbers.Floats(count);
            var (x, dy) = (New((rows * n) + 1), New((rows * n) + 1));
            var (mean, rstd) = (New(rows + 1), New(rows + 1));
            var nodes = new SliceTree(slices).Cover(0, slices);
            var segments = new Segments(starts, 0, slices, nodes);
            var (expected, actual) = (new float[nodes.Length * n], new float[nodes.Length * n]);
            fixed (float* px = x, pdy = dy, pm = mean, ps = rstd)
            {
                SegmentedReference.Rows<float>(x, n, expected, n, segments);
                FloatRows.Segmented<V, RowTerm>(new RowTerm(px, n), n, actual, n, segments);
                Bits.Equal(expected, actual, $"row sums, {width}");
                LayerNormReference.SegmentedGradGain<float>(dy, x, n, mean, rstd, expected, n, segments);
                FloatRows.Segmented<V, GainTerm>(new GainTerm(pdy, px, pm, ps, n), n, actual, n, segments);
                Bits.Equal(expected, actual, $"gain gradient, {width}");
            }
        }
    }

    [Theory]
    [InlineData(1, 1, 3)]
    [InlineData(40, 8, 30)]
    [InlineData(70, 5, 600)]
    [InlineData(130, 3, 9)]
    public void K4_sums_over_rows_have_the_bits_of_the_reference(int n, int slices, int rowsMax)
    {
        Widths.Check(new SegmentedCase(n, slices, rowsMax, odd: false));
        Widths.Check(new SegmentedCase(n, slices, rowsMax, odd: true));
    }

    [Fact]
    public void K3_row_sums_do_not_depend_on_the_deal()
    {
        var numbers = new Numbers(17);
        foreach (var slices in (int[])[1, 3, 6, 8, 11])
        {
            var starts = numbers.RowStarts(slices, 50);
            var x = numbers.Floats((starts[^1] + 1) * 12);
            new Deal(slices, starts, 12, (c, stride, firstRow, in s) =>
                SegmentedSum.Rows<float>(x.AsSpan(firstRow * 12), 12, c, stride, s)).Check(numbers);
        }
    }

    [Fact]
    public void K3_embedding_gradients_do_not_depend_on_the_deal()
    {
        var numbers = new Numbers(18);
        foreach (var slices in (int[])[1, 2, 5, 8])
        {
            var starts = numbers.RowStarts(slices, 20);
            var (ids, dy) = (new int[starts[^1] + 1], numbers.Floats((starts[^1] + 1) * 5));
            for (var i = 0; i < ids.Length; i++) ids[i] = numbers.Int(0, 9);
            new Deal(slices, starts, 45, (c, stride, firstRow, in s) => Embedding.SegmentedScatterAdd<float>(
                ids.AsSpan(firstRow), dy.AsSpan(firstRow * 5), 5, 9, c, stride, s)).Check(numbers);
        }
    }
}
