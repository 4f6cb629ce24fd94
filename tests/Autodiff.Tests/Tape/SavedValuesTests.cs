using Convoy.Autodiff.Execution;
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
    public void CopiedOnWrite_AnyMayBeWritten_AndGradientsStayThoseOfTheRecording()
    {
        // AD-07: through a view, in place, by a fill; leaves, results, and values of several entries.
        using var scope = SavedValues.CopyOnWrite();
        var x = new Variable(Tensor.Full(DType.Float64, 3, new Shape(20_000)), requiresGradient: true);
        var y = (Variable)x.Square();
        var z = (Variable)(y.Exp() * x * y);
        x.Data.Slice(5..).Fill(100);
        y.Data.Writable<double>()[0] = 7;
        new InPlaceExecutor().Multiply(y.Data, 50);
        ((Variable)z.Sum()).Backward();
        // d/dx x³ e^(x²) = e^(x²) (3x² + 2x⁴)
        Assert.All(x.Gradient!.ToArray<double>(), g => Assert.Equal(Math.Exp(9) * (27 + 162), g, 1e-6));
        Assert.Equal((3, 100, 350), (x.Data.At(0), x.Data.At(5), y.Data.At(0)));
    }

    [Fact]
    public void CopiedOnWrite_NothingIsCopied_BeforeAWriteOrAfterBackward()
    {
        const int Bytes = 200_000 * 8;
        const int Small = 20_000; // what runs for the first time loads types, too
        using var scope = SavedValues.CopyOnWrite();
        var x = new Variable(Tensor.Ones(DType.Float64, 200_000), requiresGradient: true);
        long Allocated(Action run)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            run();
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Variable? y = null;
        Allocated(() => y = (Variable)x.Square());
        ((Variable)y!.Sum()).Backward();
        Assert.InRange(Allocated(() => x.Data.Writable<double>()[0] = 2), 0, Small);
        Assert.InRange(Allocated(() => y = (Variable)(x * x * x)), 2 * Bytes, (2 * Bytes) + Small);
        // Several entries keep it: one copy, by the first write only.
        Assert.InRange(Allocated(() => x.Data.Writable<double>()[0] = 3), Bytes, Bytes + Small);
        Assert.InRange(Allocated(() => x.Data.Writable<double>()[0] = 4), 0, Small);
        var second = (Variable)x.Exp();
        x.Data.Set(1, 0);
        ((Variable)y!.Sum()).Backward();
        // x³ at 2: 12, beside the 2 of the square at 1.
        Assert.Equal(12 + 2, x.Gradient!.At(0));
        ((Variable)second.Sum()).Backward();
        Assert.Equal(14 + Math.Exp(4), x.Gradient.At(0), 9);
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
