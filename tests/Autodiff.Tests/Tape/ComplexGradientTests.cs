using System.Numerics;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim.Gradients;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>CPX-02: gradients of complex values through the stages that clip, and the operator of their first
/// NaN.</summary>
public sealed class ComplexGradientTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    [Fact]
    public void ClippedGradient_IsADirectionOfTheSameAngle_AndStillGoesDown()
    {
        Complex[] at = [new(3, -4), new(-1, 2)];
        double Loss(Complex[] z) => z.Sum(v => Math.Pow(v.Magnitude, 4));
        var z = new ComplexValue(Of(3, -1), Of(-4, 2));
        var squared = z.Real.Square() + z.Imaginary.Square();
        var (re, im) = ComplexValue.Gradient((Variable)squared.Square().Sum(), [z])[0];
        double[] together = [re.At(0), im.At(0), re.At(1), im.At(1)];
        var part = new GradientPart("z", together, new double[4], 0) { IsComplex = true };
        new GradientPipeline(new CleanGradients(), new ClipByValue(2)).Apply(new GradientSet([part], 0));
        Complex[] g = [new(together[0], together[1]), new(together[2], together[3])];
        for (var i = 0; i < 2; i++)
        {
            // d|z|⁴ is 4 |z|² z: it points along z, also when it is cut to a size of 2.
            Assert.Equal(2, g[i].Magnitude, 12);
            Assert.Equal(at[i].Phase, g[i].Phase, 12);
        }

        Assert.True(Loss([.. at.Zip(g, (v, d) => v - (0.1 * d))]) < Loss(at));
    }

    [Fact]
    public void AnomalyMode_NamesTheOperator_WhicheverPartIsNaN()
    {
        var zero = new ComplexValue(Of(0, 1), Of(0, 1));
        using var scope = AnomalyMode.On(step: 3);
        var fault = Assert.Throws<AnomalyException>(() => zero / (zero - zero));
        Assert.Contains("divide", fault.Message, StringComparison.Ordinal);
        Assert.Contains("step 3", fault.Message, StringComparison.Ordinal);
        // The imaginary part alone: e^800 i sin(0) is ∞·0.
        var high = new ComplexValue(Of(800), Of(0));
        Assert.Throws<AnomalyException>(() => high.Exp());
    }
}
