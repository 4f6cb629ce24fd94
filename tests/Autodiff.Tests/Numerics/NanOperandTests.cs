using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Numerics;

/// <summary>
/// MON-07: a NaN in any operand of an element-wise operator is in the result, in both element types, in registers and
/// in what is left over, fused and by itself; no NaN is dropped on the way to a loss.
/// </summary>
public sealed class NanOperandTests
{
    private const int Elements = 83;

    // What asks or chooses, and gradients that are zero where nothing flows: the other operand does not show.
    private static readonly Op[] Deciding =
    [
        OpTable.Equal, OpTable.NotEqual, OpTable.Greater, OpTable.GreaterEqual, OpTable.Less, OpTable.LessEqual,
        OpTable.Where, OpTable.MaskedFill, OpTable.ReluGrad,
    ];

    public static TheoryData<string> Names() => [.. OpTable.All
        .Where(op => !Deciding.Contains(op) && OpSamples.Of(op).Any(IsElementwise)).Select(op => op.Name)];

    private static bool IsElementwise(OpSample sample) =>
        sample.Op.Sharding is "a... -> a..." or "a..., a... -> a..." && sample.Inputs.All(
            t => t.DType == DType.Float64 && t.Rank > 0 && t.Shape == sample.Inputs[0].Shape);

    [Theory]
    [MemberData(nameof(Names))]
    public void ANan_IsInTheResult(string name)
    {
        var sample = OpSamples.Of(OpTable.Find(name)!).First(IsElementwise);
        foreach (var each in new[] { sample, sample.InFloat32() })
        {
            for (var operand = 0; operand < each.Inputs.Length; operand++)
            {
                for (var at = 0; at < Elements; at += 7)
                {
                    var x = each.Inputs.Select((t, i) => Many(t, i == operand ? at : -1)).ToArray();
                    var y = each.Run(x).Cast(DType.Float64).ToArray<double>();
                    for (var i = 0; i < Elements; i++)
                        Assert.True(double.IsNaN(y[i]) == (i == at),
                            $"{each.Op.Name} in {x[0].DType}: operand {operand} is NaN at {at}, the result at {i} is {y[i]}");
                }
            }
        }
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    public void LargerAndSmaller_AreTheSameBits_FusedAndRepeatedAndReduced(DType type)
    {
        double[] values = [double.NaN, 1, -0.0, 0.0, double.PositiveInfinity, -3, double.NegativeInfinity];
        var pairs = values.SelectMany(a => values.Select(b => (a, b))).ToArray();
        Variable Of(IEnumerable<double> all) =>
            new(Tensor.Of<double>([.. all], new Shape(all.Count())).Cast(type));
        var (x, y) = (Of(pairs.Select(p => p.a)), Of(pairs.Select(p => p.b)));
        foreach (var f in new Func<Value, Value, Value>[] { (a, b) => a.Maximum(b), (a, b) => a.Minimum(b) })
        {
            var eager = Numbers(f(x, y));
            for (var i = 0; i < pairs.Length; i++)
                Assert.Equal(double.IsNaN(pairs[i].a) || double.IsNaN(pairs[i].b), double.IsNaN(eager[i]));
            var fused = OptimizedFunction.Of("f", v => f(v[0].Negate().Negate(), v[1] * 1.0) * 2.0);
            Assert.Equal(eager.Select(v => 2 * v), Numbers(fused.Apply(x, y)));
            // One operand repeated goes through other loops.
            foreach (var value in values)
            {
                var row = Numbers(f(x.Reshape(7, 7), Of([value])));
                var column = Numbers(f(Of([value]), x.Reshape(7, 7)));
                var whole = Numbers(f(x, Of(pairs.Select(_ => value))));
                Assert.Equal(whole, row);
                Assert.Equal(whole.Select(double.IsNaN), column.Select(double.IsNaN));
            }

            Assert.True(Numbers(x.Reshape(7, 7).Max([1]))[0] is double.NaN);
            Assert.True(Numbers(y.Reshape(7, 7).Min([1])).All(double.IsNaN));
        }
    }

    private static double[] Numbers(Value value) => ((Variable)value).Data.Cast(DType.Float64).ToArray<double>();

    // The numbers of a sample over and over, one of them NaN.
    private static Tensor Many(Tensor sample, int nanAt)
    {
        var some = sample.Cast(DType.Float64).ToArray<double>();
        return Tensor.Of<double>(
            [.. Enumerable.Range(0, Elements).Select(i => i == nanAt ? double.NaN : some[i % some.Length])],
            new Shape(Elements)).Cast(sample.DType);
    }
}
