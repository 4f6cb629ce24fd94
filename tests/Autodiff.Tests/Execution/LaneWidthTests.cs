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
}
