using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>TEN-03, OPS-04: functions that go through float64 lane by lane, in every width a processor may
/// have.</summary>
public sealed unsafe class LaneWidthTests
{
    [Fact]
    public void FunctionsByLanes_AreRightInEveryWidth_AndWriteNothingBeside()
    {
        // A pair of registers of 512 bits, made of parts that any machine has: it ended the process before.
        Check<Lane1>();
        Check<Lane4>();
        Check<Pair<Lane4>>();
        Check<Pair<Pair<Lane4>>>();
        Check<Pair<Pair<Pair<Lane4>>>>();
    }

    [Theory]
    [InlineData("acos")]
    [InlineData("atanh")]
    [InlineData("lgamma")]
    [InlineData("hypot")]
    public void LongFloatArrays_AreThoseOfFloat64(string name)
    {
        var op = OpTable.Find(name)!;
        var x = Tensor.Of([.. Enumerable.Range(1, 203).Select(i => i / 204f)], 203);
        Variable[] operands = name == "hypot" ? [new(x), new(x)] : [new(x)];
        Variable[] wide = [.. operands.Select(v => new Variable(v.Data.Cast(DType.Float64)))];
        var narrow = ((Variable)operands[0].Builder.Apply(op, Attributes.None, [.. operands])[0]).Data;
        var exact = ((Variable)wide[0].Builder.Apply(op, Attributes.None, [.. wide])[0]).Data;
        Assert.Equal(exact.ToArray<double>().Select(v => (float)v), narrow.ToArray<float>());
    }

    private static void Check<V>() where V : unmanaged, ILanes<V>
    {
        var x = new float[V.Count];
        var y = new float[V.Count];
        for (var i = 0; i < x.Length; i++) x[i] = (i + 1f) / (x.Length + 1);
        fixed (float* from = x)
        {
            fixed (float* to = y)
            {
                V.Store(Through64.Unary<V, AcosOperator>(V.Load(from)), to);
                for (var i = 0; i < x.Length; i++) Assert.Equal((float)Math.Acos(x[i]), y[i]);
                V.Store(Through64.Binary<V, HypotOperator>(V.Load(from), V.Load(from)), to);
                for (var i = 0; i < x.Length; i++) Assert.Equal((float)HypotOperator.Double(x[i], x[i]), y[i]);
            }
        }
    }

    [Fact]
    public void Powers_AreRoundedOnce()
    {
        // OPS-04: 3² was 9.000001, and 1,803 of these squares were not right.
        float[] x = [.. Enumerable.Range(1, 1999).Select(i => (float)i)];
        var all = new Variable(Tensor.Of(x, x.Length));
        Assert.Equal(x.Select(v => v * v), ((Variable)all.Pow(2)).Data.ToArray<float>());
        Assert.Equal(x.Select(v => (float)Math.Pow(v, -1.5)), ((Variable)all.Pow(-1.5)).Data.ToArray<float>());
        float[] bases = [1, 1, -1, -1, -0f, -0f, -2, 2, -1, 0];
        float[] exponents =
            [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 16777215, -1, -2, 5e6f, 127, 0.5f, 0];
        var powers = (Variable)new Variable(Tensor.Of(bases, 10)).Pow(new Variable(Tensor.Of(exponents, 10)));
        Assert.Equal(bases.Zip(exponents, (b, e) => (float)Math.Pow(b, e)), powers.Data.ToArray<float>());
    }

    [Fact]
    public void SmallValuesOfSoftplusAndMish_KeepTheirDigits()
    {
        // OPS-05: at -15 a sixth was missing, from -17 on everything.
        float[] x = [.. Enumerable.Range(0, 1761).Select(i => -86 + (i / 16f))];
        var all = new Variable(Tensor.Of(x, x.Length));
        var (softplus, mish) =
            (((Variable)all.Softplus()).Data.ToArray<float>(), ((Variable)all.Mish()).Data.ToArray<float>());
        var exact = new Variable(all.Data.Cast(DType.Float64));
        var (wide, wideMish) = (((Variable)exact.Softplus()).Data.ToArray<double>(),
            ((Variable)exact.Mish()).Data.ToArray<double>());
        for (var i = 0; i < x.Length; i++)
        {
            Assert.Equal(wide[i], softplus[i], 4e-7 * wide[i]);
            Assert.Equal(wideMish[i], mish[i], 6e-7 * Math.Abs(wideMish[i]));
        }
    }

    [Fact]
    public void SlopesOfTheLargestNumbers_AreFinite()
    {
        // OPS-05, ERR-07: twice the largest number is infinite, and 0 times that was the slope.
        var x = new Variable(Tensor.Of([float.MaxValue, -float.MaxValue, 0], 3), requiresGradient: true);
        ((Variable)x.HardSwish().Sum()).Backward();
        Assert.Equal([1f, 0, 0.5f], x.Gradient!.ToArray<float>());
    }
}
