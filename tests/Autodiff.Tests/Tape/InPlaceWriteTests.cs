using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// AD-07: a write into a recorded tensor is an error for the gradient that reads it, and for no other. For every
/// operator each operand and each result is written over in turn: backward refuses, or has the bits that it had.
/// </summary>
public sealed class InPlaceWriteTests
{
    public static TheoryData<string> Names() => [.. OpTable.All
        .Where(op => OpSamples.Of(op).Any(s => s.Inputs.Any(IsFloat))).Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void AWrite_IsRefusedOrChangesNothing(string name)
    {
        foreach (var sample in OpSamples.Of(OpTable.Find(name)!).Where(s => s.Inputs.Any(IsFloat)).Take(3))
        {
            if (Gradients(sample, null) is not { } expected) continue;
            for (var place = 0; place < sample.Inputs.Length + sample.Differentiable.Length; place++)
            {
                try
                {
                    var found = Gradients(sample, place)!;
                    for (var i = 0; i < expected.Length; i++)
                        Assert.True(expected[i].SequenceEqual(found[i]),
                            $"{sample.Name}: gradient {i} read place {place} after it was written");
                }
                catch (GradientException refused)
                {
                    Assert.Contains("was written in place after it was recorded", refused.Message,
                        StringComparison.Ordinal);
                }
            }
        }
    }

    // What may be written: operands are 0, 1, ..; r is the result.
    [Theory]
    [InlineData("add", "0 1 r")]
    [InlineData("subtract", "0 1 r")]
    [InlineData("multiply", "r")]
    [InlineData("divide", "0")]
    [InlineData("relu", "0")]
    [InlineData("exp", "0")]
    [InlineData("sqrt", "0")]
    [InlineData("tanh", "0")]
    [InlineData("sigmoid", "0")]
    [InlineData("sin", "r")]
    [InlineData("log", "r")]
    [InlineData("square", "r")]
    [InlineData("negate", "0 r")]
    [InlineData("sum", "0 r")]
    [InlineData("mean", "0 r")]
    [InlineData("matmul", "r")]
    [InlineData("linear", "2 r")]
    [InlineData("concat", "0 1 2 r")]
    [InlineData("transpose", "0 r")]
    [InlineData("slice", "0 r")]
    [InlineData("softmax", "0")]
    [InlineData("cumsum", "0 r")]
    [InlineData("inverse", "0")]
    public void WhatNoGradientReads_MayBeWritten(string name, string free)
    {
        var op = OpTable.Find(name)!;
        var sample = OpSamples.Of(op).First(s => !s.IsEmpty && (name != "linear" || s.Inputs.Length == 3)
            && s.Inputs.All(t => t.Shape != Shape.Scalar));
        for (var place = 0; place <= sample.Inputs.Length; place++)
        {
            var mayBeWritten = free.Split(' ').Contains(place == sample.Inputs.Length ? "r" : $"{place}");
            if (mayBeWritten) Assert.NotNull(Gradients(sample, place));
            else Assert.Throws<GradientException>(() => Gradients(sample, place));
        }
    }

    [Fact]
    public void WhatNobodyAsksFor_IsNotReadEither()
    {
        var (a, b) = (Leaf([1, 2, 3, 4], 2, 2), new Variable(Tensor.Of([5.0, 6, 7, 8], 2, 2)));
        var y = (Variable)a.MatMul(b).Sum();
        a.Data.Fill(double.NaN); // read by the gradient of b, which asks for none
        y.Backward();
        Assert.Equal([11.0, 15, 11, 15], a.Gradient!.ToArray<double>());
    }

    [Fact]
    public void OneOfTwoReaders_RefusesForItself()
    {
        var x = Leaf([1, 2], 2);
        var (sum, square) = ((Variable)(x + x).Sum(), (Variable)x.Square().Sum());
        x.Data.Fill(7);
        var refused = Assert.Throws<GradientException>(() => square.Backward());
        Assert.StartsWith("square: its operand 0, float64[2], was written in place", refused.Message,
            StringComparison.Ordinal);
        Assert.Null(x.Gradient);
        sum.Backward();
        Assert.Equal([2.0, 2], x.Gradient!.ToArray<double>());
    }

    [Fact]
    public void SecondDerivatives_AndForwardMode_ReadForThemselves()
    {
        var x = Leaf([0.5, 2], 2);
        var y = (Variable)x.Exp().Sum();
        x.Data.Fill(0);
        var first = Differentiate.Gradient([y], [x], createGraph: true)[0];
        Assert.Equal([Math.Exp(0.5), Math.Exp(2)], first.Data.ToArray<double>().Select(v => Math.Round(v, 15)),
            (a, b) => Math.Abs(a - b) < 1e-12);
        var second = Differentiate.Gradient([(Variable)first.Sum()], [x])[0];
        Assert.Equal(first.Data.ToArray<double>(), second.Data.ToArray<double>());

        var z = (Variable)x.Square();
        x.Data.Fill(3);
        Assert.Throws<GradientException>(() => Differentiate.Forward([z], [x], [Leaf([1, 1], 2)]));
    }

    private static Variable Leaf(double[] values, params int[] dims) => new(Tensor.Of(values, dims), true);

    private static bool IsFloat(Tensor t) => t.DType is DType.Float32 or DType.Float64;

    // Bytes of the gradients; the place is written over between recording and backward. Null: there is no gradient.
    private static byte[][]? Gradients(OpSample sample, int? place)
    {
        Variable[] x = [.. sample.Inputs.Select(t => new Variable(t.Copy(), IsFloat(t)))];
        var results = EagerBuilder.Instance.Apply(sample.Op, sample.Attributes, x);
        Variable[] y = [.. sample.Differentiable.Select(i => (Variable)results[i]).Where(v => v.RequiresGradient)];
        if (y.Length == 0) return null;
        var seeds = y.Select((v, i) => Seed(v, (ulong)i)).ToArray();
        if (place is { } at)
        {
            var tensor = at < x.Length ? x[at].Data : y[Math.Min(at - x.Length, y.Length - 1)].Data;
            if (!tensor.IsRepeated) tensor.Fill(IsFloat(tensor) ? double.NaN : 0);
        }

        return [.. Differentiate.Gradient(y, [.. x.Where(v => v.RequiresGradient)], seeds)
            .Select(g => g.Data.Cast(DType.Float64).ToArray<double>().SelectMany(BitConverter.GetBytes).ToArray())];
    }

    private static Variable Seed(Variable y, ulong stream)
    {
        var random = new RandomStream(11, RandomPurpose.TestDouble, stream);
        return new Variable(Tensor.Of<double>(
            [.. Enumerable.Range(0, (int)y.Data.Count).Select(i => random.UniformDouble(i))], y.Data.Shape)
            .Cast(y.Data.DType));
    }
}
