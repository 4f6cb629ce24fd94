using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>OPS-13: output_padding up to the dilation, and its rule.</summary>
public sealed class OutputPaddingTests
{
    private static Variable Of(params double[] values) =>
        new(Tensor.Of(values, 1, 1, values.Length), requiresGradient: true);

    [Theory]
    [InlineData(0, 1, new double[] { 10, 20, 31, 2, 3, 0 })]
    // Without padding the element after the last would be 0; with it, it is one that padding had cut away.
    [InlineData(1, 1, new double[] { 20, 31, 2, 3 })]
    public void OutputPadding_MayReachTheStride_BelowTheDilation(int padding, int more, double[] expected)
    {
        var (x, w) = (Of(1, 2, 3), Of(10, 1));
        var y = (Variable)x.ConvTranspose1d(w, null, 1, padding, more, 2);
        Assert.Equal(expected, y.Data.ToArray<double>());
        var u = Tensor.Of([.. Enumerable.Range(1, expected.Length).Select(i => (double)i)], 1, 1, expected.Length);
        y.Backward(u);
        // The adjoint of what it is the adjoint of; of a place beyond, nothing comes back.
        var back = ((Variable)new Variable(u).Conv1d(w, null, 1, padding, 2)).Data.ToArray<double>();
        Assert.Equal(back[..3], x.Gradient!.ToArray<double>());
    }

    [Fact]
    public void OutputPadding_AsLargeAsBoth_IsRefused()
    {
        foreach (var (stride, dilation) in new[] { (1, 1), (2, 1), (1, 2), (2, 2) })
        {
            var most = Math.Max(stride, dilation);
            var refused = Assert.Throws<ShapeException>(
                () => Of(1, 2, 3).ConvTranspose1d(Of(10, 1), null, stride, 0, most, dilation));
            Assert.Equal(
                $"conv-transpose1d: output_padding {most} is not smaller than the stride or the dilation (operands "
                + "[1, 1, 3], [1, 1, 2])", refused.Message);
            Assert.NotNull(Of(1, 2, 3).ConvTranspose1d(Of(10, 1), null, stride, 0, most - 1, dilation));
        }
    }
}
