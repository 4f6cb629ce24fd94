using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>TEN-08, AD-07: saved values are shared, or owned below a size.</summary>
public sealed class SavedValuesTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    [Fact]
    public void OwnedValues_MayBeWritten_AndGradientsStayThoseOfTheRecording()
    {
        using var scope = SavedValues.Own();
        var (x, seen) = (Of(2, 3), 0);
        x.OnGradient(g =>
        {
            seen++;
            return g;
        });
        var y = (Variable)x.Square();
        var z = (Variable)(y.Exp() * x);
        x.Data.Fill(100);
        y.Data.Fill(100);
        z.Data.Fill(100);
        z.Backward(Tensor.Ones(DType.Float64, 2));
        // d/dx x e^(x²) = e^(x²) (1 + 2x²)
        Assert.Equal(Math.Exp(4) * 9, x.Gradient!.At(0), 6);
        Assert.Equal(Math.Exp(9) * 19, x.Gradient.At(1), 6);
        Assert.Equal(1, seen);
    }

    [Fact]
    public void OwnedValues_CarryHigherDerivatives_AndForwardMode()
    {
        using var scope = SavedValues.Own();
        var x = Of(2);
        var y = (Variable)(x * x * x);
        var first = Differentiate.Gradient([y], [x], createGraph: true)[0];
        Assert.Equal(12, first.Data.At(0));
        Assert.Equal(12, Differentiate.Gradient([first], [x])[0].Data.At(0));
        Assert.Equal(12, Differentiate.Forward([y], [x], [new Variable(Tensor.Ones(DType.Float64, 1))])[0].Data.At(0));
    }

    [Fact]
    public void LargeValues_AreShared_InAnOwningScopeToo()
    {
        var (small, large) = (new Variable(Tensor.Ones(DType.Float64, 9), true),
            new Variable(Tensor.Ones(DType.Float64, 10), true));
        using (SavedValues.Own(elementsBelow: 10))
        {
            var (a, b) = ((Variable)small.Square().Sum(), (Variable)large.Square().Sum());
            small.Data.Fill(5);
            large.Data.Fill(5);
            a.Backward();
            Assert.Equal(2, small.Gradient!.At(8));
            Assert.Throws<GradientException>(() => b.Backward());
            using (SavedValues.Share())
            {
                var c = (Variable)small.Square().Sum();
                small.Data.Fill(7);
                Assert.Throws<GradientException>(() => c.Backward());
            }
        }
    }

    [Fact]
    public void SharedValues_AreNotCopied()
    {
        var x = new Variable(Tensor.Ones(DType.Float64, 200_000), requiresGradient: true);
        x.Square();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var y = (Variable)x.Square();
        var shared = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.InRange(shared, y.Data.Count * 8, (y.Data.Count * 8) + 20_000);
        using (SavedValues.Own(elementsBelow: int.MaxValue))
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            x.Square();
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before > 2.5 * shared);
        }
    }
}
