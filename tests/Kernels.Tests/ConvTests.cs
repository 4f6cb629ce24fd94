using Convoy.Kernels.Cpu;
using Convoy.Kernels.Cpu.Conv;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Reference;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests;

// K-4 for convolution: forward, input gradient, weight and bias gradient cut at slices.
public sealed unsafe class ConvTests
{
    private sealed record Case(Conv2dShape Shape, bool Odd) : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            var numbers = new Numbers(21);
            var x = Odd ? numbers.Odd(Shape.N * Shape.InputSize) : numbers.Floats(Shape.N * Shape.InputSize);
            var (w, bias) = (numbers.Floats(Shape.WeightSize), numbers.Floats(Shape.COut));
            var dy = Odd ? numbers.Odd(Shape.N * Shape.OutputSize) : numbers.Floats(Shape.N * Shape.OutputSize);
            var (y1, y2) = (new float[dy.Length], new float[dy.Length + Order.Lanes]);
            var (dx1, dx2) = (new float[x.Length], new float[x.Length + Order.Lanes]);
            y2.AsSpan().Fill(7);
            dx2.AsSpan().Fill(7);
            ConvReference.Forward<float>(x, w, bias, y1, Shape, Activation.Relu);
            ConvReference.GradInput<float>(dy, w, dx1, Shape);
            fixed (float* px = x, pw = w, pb = bias, py = y2, pdy = dy, pdx = dx2)
            {
                FloatConv.Forward<V>(px, pw, pb, py, Shape, Activation.Relu);
                FloatConvInput.Run<V>(pdy, pw, pdx, Shape);
            }

            Bits.Equal(y1, y2.AsSpan(0, y1.Length), $"{this}, {width}");
            Bits.Equal(dx1, dx2.AsSpan(0, dx1.Length), $"input gradient of {this}, {width}");
            Assert.All([.. y2[y1.Length..], .. dx2[dx1.Length..]], behind => Assert.Equal(7, behind));
            Weights<V>(numbers, x, dy, width);
        }

        private void Weights<V>(Numbers numbers, float[] x, float[] dy, string width) where V : unmanaged, ILanes<V>
        {
            var starts = new int[5];
            for (var i = 1; i < 5; i++) starts[i] = i == 4 ? Shape.N : numbers.Int(starts[i - 1], Shape.N + 1);
            var nodes = new SliceTree(4).Cover(0, 4);
            var s = new Segments(starts, 0, 4, nodes);
            var (w1, w2) = (new float[Shape.WeightSize], new float[Shape.WeightSize]);
            var (b1, b2) = (new float[Shape.COut], new float[Shape.COut]);
            ConvReference.SegmentedGradWeight<float>(x, dy, w1, w1.Length, Shape, s);
            ConvReference.SegmentedGradBias<float>(dy, b1, b1.Length, Shape, s);
            fixed (float* px = x, pdy = dy)
            {
                FloatConvWeight.Weight<V>(px, pdy, w2, w2.Length, Shape, s);
                FloatConvWeight.Bias<V>(pdy, b2, b2.Length, Shape, s);
            }

            Bits.Equal(w1, w2, $"weight gradient of {this}, {width}");
            Bits.Equal(b1, b2, $"bias gradient of {this}, {width}");
        }
    }

    private static readonly Conv2dShape[] Shapes =
    [
        new(2, 1, 28, 28, 16, 3, 3, Padding: 1),
        new(3, 16, 8, 8, 32, 3, 3, Padding: 1),
        new(5, 3, 7, 5, 7, 3, 3),
        new(2, 30, 6, 6, 5, 3, 3, Padding: 1),
        new(4, 4, 9, 9, 6, 3, 3, Stride: 2, Padding: 1),
        new(2, 2, 11, 10, 3, 5, 2, Stride: 3, Padding: 2, Dilation: 2),
        new(2, 6, 5, 5, 4, 1, 1, Groups: 2),
        new(2, 4, 3, 3, 4, 2, 2, Padding: 3),
        new(70, 1, 2, 2, 2, 2, 2),
        new(0, 1, 4, 4, 1, 3, 3),
        new(2, 8, 9, 9, 8, 3, 3, Padding: 1, Groups: 8),
        new(2, 1, 7, 40, 2, 5, 7, Padding: 3, Dilation: 2),
        new(3, 40, 7, 6, 33, 3, 3, Stride: 2, Padding: 1),
        new(2, 3, 8, 8, 4, 1, 1, Stride: 2),
        new(2, 5, 9, 7, 4, 2, 3, Stride: 3),
        new(2, 2, 3, 4, 2, 3, 3, Stride: 4, Padding: 1),
        // Channels about the borders of one and two registers, with one block of terms and more.
        new(3, 9, 7, 7, 13, 3, 3, Padding: 1),
        new(2, 13, 6, 6, 40, 3, 3, Padding: 1),
        new(2, 48, 6, 5, 17, 3, 3, Padding: 1),
        new(3, 17, 5, 5, 16, 3, 3, Stride: 2, Padding: 1),
        new(2, 12, 9, 20, 24, 3, 3, Padding: 1),
    ];

    [Fact]
    public void K4_convolutions_have_the_bits_of_the_reference()
    {
        foreach (var shape in Shapes)
        {
            Widths.Check(new Case(shape, false));
            Widths.Check(new Case(shape, true));
        }
    }

    // AD-15: results of the size of their source, from 8 to 16 rows of weights: with 16 lanes the image has nothing
    // around its rows, and masks make the zeros there. Pixels fill three, four and five registers, the last one in
    // part; one block of terms and two; the kernel is wider than a row.
    private static readonly Conv2dShape[] SameSize =
    [
        new(3, 16, 6, 8, 16, 3, 3, Padding: 1),
        new(2, 12, 7, 7, 12, 3, 3, Padding: 1),
        new(2, 16, 5, 13, 16, 3, 3, Padding: 1),
        new(2, 12, 9, 9, 16, 3, 3, Padding: 2, Dilation: 2),
        new(2, 24, 8, 7, 24, 3, 3, Padding: 1, Groups: 2),
        new(1, 16, 24, 2, 16, 3, 3, Padding: 1),
        new(2, 16, 40, 2, 12, 3, 3, Padding: 3, Dilation: 3),
        new(2, 40, 7, 9, 16, 3, 3, Padding: 1),
        new(3, 16, 14, 14, 32, 3, 3, Padding: 1),
        new(2, 4, 7, 7, 8, 1, 1),
    ];

    [Fact]
    public void K4_convolutions_that_keep_the_size_have_the_bits_of_the_reference()
    {
        foreach (var shape in SameSize)
        {
            Assert.True(FlatProduct<Lane16>.FitsBare(shape, shape.COutGroup)
                || FlatProduct<Lane16>.FitsBare(shape, shape.CInGroup), $"{shape}");
            Widths.Check(new Case(shape, false));
            Widths.Check(new Case(shape, true));
        }
    }

    // Rows of any length, and padding that reaches farther to one side, or into the source itself: what lies between
    // two rows of an image is there once, and rows are copied in whole registers.
    [Fact]
    public void K4_convolutions_of_any_shape_have_the_bits_of_the_reference()
    {
        var numbers = new Numbers(27);
        for (var i = 0; i < 60; i++)
        {
            var (kh, kw, dilation) = (numbers.Int(1, 5), numbers.Int(1, 5), numbers.Int(1, 3));
            var (h, w) = ((dilation * (kh - 1)) + numbers.Int(1, 6), (dilation * (kw - 1)) + numbers.Int(1, 34));
            var shape = new Conv2dShape(numbers.Int(1, 4), numbers.Int(1, 18), h, w, numbers.Int(1, 18), kh, kw,
                Stride: numbers.Int(1, 4), Padding: numbers.Int(0, 5), Dilation: dilation);
            Widths.Check(new Case(shape, i % 2 == 0));
        }
    }

    // Terms that a stride leaves out are zeros: they show when a weight is not finite, and where a sum is -0.
    [Fact]
    public void K4_strided_input_gradients_know_the_terms_that_they_leave_out()
    {
        var shape = new Conv2dShape(2, 3, 7, 7, 4, 3, 3, Stride: 2, Padding: 1);
        var numbers = new Numbers(31);
        var dy = numbers.Floats(shape.N * shape.OutputSize);
        Widths.Check(new InputGradient(shape, dy, numbers.Odd(shape.WeightSize)));
        var tiny = numbers.Floats(dy.Length).Select(value => value * 1e-30f).ToArray();
        var weights = numbers.Floats(shape.WeightSize).Select(value => value * 1e-30f).ToArray();
        Widths.Check(new InputGradient(shape, tiny, weights));
    }

    private sealed record InputGradient(Conv2dShape Shape, float[] Dy, float[] W) : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            var (expected, actual) = (new float[Shape.N * Shape.InputSize], new float[Shape.N * Shape.InputSize]);
            ConvReference.GradInput<float>(Dy, W, expected, Shape);
            fixed (float* pdy = Dy, pw = W, pdx = actual) FloatConvInput.Run<V>(pdy, pw, pdx, Shape);
            Bits.Equal(expected, actual, $"input gradient of {Shape}, {width}");
        }
    }

    [Fact]
    public void K3_weight_gradients_do_not_depend_on_the_deal()
    {
        var numbers = new Numbers(23);
        var shape = new Conv2dShape(1, 3, 6, 6, 4, 3, 3, Padding: 1);
        var starts = numbers.RowStarts(7, 9);
        var x = numbers.Floats((starts[^1] + 1) * shape.InputSize);
        var dy = numbers.Floats((starts[^1] + 1) * shape.OutputSize);
        new Deal(7, starts, shape.WeightSize, (c, stride, first, in s) => Conv2d.SegmentedGradWeight<float>(
            x.AsSpan(first * shape.InputSize), dy.AsSpan(first * shape.OutputSize), c, stride,
            shape with { N = s.Rows }, s)).Check(numbers);
        new Deal(7, starts, shape.COut, (c, stride, first, in s) => Conv2d.SegmentedGradBias<float>(
            dy.AsSpan(first * shape.OutputSize), c, stride, shape with { N = s.Rows }, s)).Check(numbers);
    }

    [Fact]
    public void Convolution_of_ones_counts_the_window()
    {
        var shape = new Conv2dShape(1, 1, 3, 3, 1, 3, 3, Padding: 1);
        float[] ones = [1, 1, 1, 1, 1, 1, 1, 1, 1], y = new float[9];
        Conv2d.Forward<float>(ones, ones, default, y, shape);
        Assert.Equal([4f, 6, 4, 6, 9, 6, 4, 6, 4], y);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(37)]
    public void Max_pooling_finds_places_and_gives_gradients_back(int width)
    {
        var shape = new Pool2dShape(1, 2, 5, width, 2, 2, 2);
        var x = new Numbers(3).Odd(shape.InputSize);
        var (y1, y2) = (new float[shape.OutputSize], new float[shape.OutputSize]);
        var (i1, i2) = (new int[shape.OutputSize], new int[shape.OutputSize]);
        PoolingReference.MaxForward<float>(x, y1, i1, shape);
        Pooling.MaxForward<float>(x, y2, i2, shape);
        Bits.Equal(y1, y2, "max pooling");
        Assert.Equal(i1, i2);
        var (dy, dx) = (new Numbers(4).Floats(shape.OutputSize), new float[shape.InputSize]);
        Pooling.MaxBackward<float>(dy, i2, dx, shape);
        for (var o = 0; o < dy.Length; o++) Assert.Equal(dy[o], dx[(o / (dy.Length / 2) * (dx.Length / 2)) + i2[o]]);
        Assert.Equal(dy.Length, dx.Count(value => value != 0));
    }

    // With four outputs at once, those between the first four and the last were never written.
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(8)]
    public void K4_max_pooling_has_the_bits_of_the_reference_with_every_width(int lanes)
    {
        Assert.SkipWhen(lanes > FloatPooling.Lanes, $"this processor chooses {FloatPooling.Lanes} at once");
        for (var width = 2; width < 48; width++)
        {
            var shape = new Pool2dShape(1, 1, 2, width, 2, 2, 2);
            var x = new Numbers((uint)width).Odd(shape.InputSize);
            var (y1, y2) = (new float[shape.OutputSize], new float[shape.OutputSize]);
            var (i1, i2) = (new int[shape.OutputSize], new int[shape.OutputSize]);
            PoolingReference.MaxForward<float>(x, y1, i1, shape);
            fixed (float* px = x, py = y2)
            fixed (int* pi = i2) FloatPooling.Row(px, 0, width, py, pi, shape.OutW, lanes);
            Bits.Equal(y1, y2, $"{width} columns, {lanes} at once");
            Assert.Equal(i1, i2);
        }
    }

    [Theory]
    [InlineData(3, 3, 2, 1)]
    [InlineData(3, 3, 1, 1)]
    [InlineData(2, 3, 3, 0)]
    [InlineData(5, 1, 4, 0)]
    [InlineData(2, 2, 2, 1)]
    public void K4_pooling_of_any_window_has_the_bits_of_the_reference(int kh, int kw, int stride, int padding)
    {
        foreach (var (height, width) in ((int, int)[])[(5, 5), (9, 37), (40, 120)])
        {
            var s = new Pool2dShape(3, 20, height, width, kh, kw, stride, padding);
            var (x, dy) = (new Numbers(5).Odd(s.InputSize), new Numbers(6).Floats(s.OutputSize));
            var (i1, i2) = (new int[s.OutputSize], new int[s.OutputSize]);
            var (y1, y2) = (new float[s.OutputSize], new float[s.OutputSize]);
            var (dx1, dx2) = (new float[s.InputSize], new float[s.InputSize]);
            using var team = new ThreadTeam(2);
            using var scope = team.Enter();
            PoolingReference.MaxForward<float>(x, y1, i1, s);
            Pooling.MaxForward<float>(x, y2, i2, s);
            Bits.Equal(y1, y2, $"largest of {s}");
            Assert.Equal(i1, i2);
            PoolingReference.MaxBackward<float>(dy, i1, dx1, s);
            Pooling.MaxBackward<float>(dy, i1, dx2, s);
            Bits.Equal(dx1, dx2, $"gradient of the largest of {s}");
            PoolingReference.AvgForward<float>(x, y1, s);
            Pooling.AvgForward<float>(x, y2, s);
            Bits.Equal(y1, y2, $"mean of {s}");
            PoolingReference.AvgBackward<float>(dy, dx1, s);
            Pooling.AvgBackward<float>(dy, dx2, s);
            Bits.Equal(dx1, dx2, $"gradient of the mean of {s}");
        }
    }

    [Fact]
    public void Average_pooling_is_its_own_transpose()
    {
        var shape = new Pool2dShape(1, 1, 5, 5, 3, 3, 2, 1);
        var numbers = new Numbers(4);
        var (x, dy) = (numbers.Floats(25), numbers.Floats(9));
        var (y, dx) = (new float[9], new float[25]);
        Pooling.AvgForward<float>(x, y, shape);
        Pooling.AvgBackward<float>(dy, dx, shape);
        Assert.Equal(y.Zip(dy, (a, b) => (double)a * b).Sum(), x.Zip(dx, (a, b) => (double)a * b).Sum(), 1e-5);
    }
}
