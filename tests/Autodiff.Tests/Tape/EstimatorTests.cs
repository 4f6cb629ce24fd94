using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>EST-01, EST-02: gradients through steps, and draws of classes with gradients.</summary>
public sealed class EstimatorTests
{
    private static Value Draw(Value logits, ulong seed, double temperature, bool hard) => logits.Builder.Apply(
        OpTable.GumbelSoftmax,
        Attributes.Of("seed", (long)seed, "temperature", temperature).With("hard", hard), [logits])[0];

    [Fact]
    public void StraightThrough_Trains_WhereTheStepItselfHasNoGradient()
    {
        // EST-01: a threshold at 0 of x w has no slope anywhere; through the soft value it learns which sign w needs.
        var (x, target) = (new Variable(Tensor.Of([1.0, -2, 0.5, -1], 4)), new Variable(Tensor.Of([1.0, 0, 1, 0], 4)));
        double Train(bool through)
        {
            var w = new Variable(Tensor.Of([-0.5], 1), requiresGradient: true);
            for (var t = 0; t < 60; t++)
            {
                var z = x * w;
                var step = z.Greater(z.Constant(0));
                var y = through ? step.Builder.Apply(OpTable.StraightThrough, Attributes.None, [step, z.Sigmoid()])[0]
                    : step + (w * 0);
                Assert.All(((Variable)y).Data.ToArray<double>(), v => Assert.True(v is 0 or 1));
                ((Variable)(y - target).Square().Sum()).Backward();
                w.Data.Set(w.Data.At(0) - (0.2 * w.Gradient!.At(0)), 0);
                w.ClearGradient();
            }

            return w.Data.At(0);
        }

        Assert.True(Train(through: true) > 0);
        Assert.Equal(-0.5, Train(through: false));
    }

    [Fact]
    public void GumbelSoftmax_DrawsClassesAsOftenAsSoftmaxSays_AndTheHardFormIsOneHot()
    {
        // EST-02: the place of the largest has the probabilities of softmax, whatever the temperature.
        const int Draws = 20_000;
        double[] logits = [0.5, -1, 1.2, 0];
        var rows = new Variable(Tensor.Of(logits, 1, 4).BroadcastTo(new Shape(Draws, 4)).Copy());
        var hard = ((Variable)Draw(rows, 3, 0.7, hard: true)).Data.ToArray<double>();
        var soft = ((Variable)Draw(rows, 3, 0.7, hard: false)).Data.ToArray<double>();
        var counts = new int[4];
        for (var r = 0; r < Draws; r++)
        {
            double[] one = hard[(r * 4)..((r + 1) * 4)], smooth = soft[(r * 4)..((r + 1) * 4)];
            var place = Array.IndexOf(one, 1.0);
            Assert.Equal(1, one.Sum());
            Assert.Equal(1, smooth.Sum(), 1e-12);
            Assert.Equal(smooth.Max(), smooth[place]);
            counts[place]++;
        }

        var total = logits.Sum(Math.Exp);
        for (var c = 0; c < 4; c++)
        {
            var p = Math.Exp(logits[c]) / total;
            // Four standard errors.
            Assert.Equal(p, (double)counts[c] / Draws, 4 * Math.Sqrt(p * (1 - p) / Draws));
        }
    }

    [Fact]
    public void GumbelSoftmax_HasTheSoftGradientInBothForms_IsRepeatable_AndSharpensAsItCools()
    {
        double[] Gradient(bool hard)
        {
            var x = new Variable(Tensor.Of([0.5, -1, 1.2, 0], 1, 4), requiresGradient: true);
            ((Variable)(Draw(x, 9, 0.8, hard) * new Variable(Tensor.Of([1.0, 2, 3, 4], 4))).Sum()).Backward();
            return x.Gradient!.ToArray<double>();
        }

        Assert.Equal(Gradient(hard: false), Gradient(hard: true));
        Assert.Contains(Gradient(hard: true), g => g != 0);
        Assert.Equal(0, Gradient(hard: true).Sum(), 1e-12);
        double Largest(double t, ulong seed) => ((Variable)Draw(
            new Variable(Tensor.Of([0.5, -1, 1.2, 0], 1, 4)), seed, t, false)).Data.ToArray<double>().Max();
        Assert.Equal(Largest(0.5, 1), Largest(0.5, 1));
        Assert.NotEqual(Largest(0.5, 1), Largest(0.5, 2));
        Assert.True(Largest(0.05, 1) > 0.99 && Largest(50, 1) < 0.3);
    }
}
