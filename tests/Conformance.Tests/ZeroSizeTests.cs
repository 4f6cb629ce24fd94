using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>
/// ERR-07: dimensions of size 0 are legal: an empty batch, an empty sum (0), an empty product (1). Gradients are empty
/// too.
/// </summary>
public sealed class ZeroSizeTests
{
    private static readonly (string Name, Func<Value[], Value> Function, int[][] Shapes)[] All =
    [
        ("add", x => x[0] + x[1], [[0, 3], [3]]),
        ("multiply by a scalar", x => x[0] * 2, [[0, 3]]),
        ("divide", x => x[0] / x[1], [[2, 0], [2, 1]]),
        ("relu", x => x[0].Relu(), [[0, 3]]),
        ("gelu", x => x[0].Gelu(), [[3, 0]]),
        ("pow", x => x[0].Pow(3), [[0]]),
        ("sum of nothing", x => x[0].Sum([0]), [[0, 3]]),
        ("sum of rows of nothing", x => x[0].Sum([1]), [[3, 0]]),
        ("sum of all", x => x[0].Sum(), [[0, 3]]),
        ("mean", x => x[0].Mean([1]), [[0, 3]]),
        ("max", x => x[0].Max([1]), [[0, 3]]),
        ("product of nothing", x => x[0].Product([1]), [[2, 0]]),
        ("reshape", x => x[0].Reshape(0, 6), [[0, 2, 3]]),
        ("transpose", x => x[0].Transpose(), [[0, 3]]),
        ("broadcast", x => x[0].BroadcastTo(0, 3), [[1, 3]]),
        ("slice", x => x[0].Slice(1, 1, 0), [[2, 3]]),
        ("concat", x => Functions.Concat(0, x), [[0, 3], [2, 3]]),
        ("matmul rows", x => x[0].MatMul(x[1]), [[0, 3], [3, 2]]),
        ("matmul terms", x => x[0].MatMul(x[1]), [[2, 0], [0, 3]]),
        ("matmul batch", x => x[0].MatMul(x[1]), [[0, 2, 3], [3, 2]]),
        ("linear", x => x[0].Linear(x[1], x[2]), [[0, 3], [2, 3], [2]]),
        ("einsum", x => Functions.Einsum("ij,jk->ik", x), [[2, 0], [0, 3]]),
        ("conv2d", x => x[0].Conv2d(x[1], x[2], padding: 1), [[0, 2, 4, 4], [3, 2, 3, 3], [3]]),
        ("max pool", x => x[0].MaxPool2d(2), [[0, 2, 4, 4]]),
        ("avg pool", x => x[0].AvgPool2d(2), [[0, 2, 4, 4]]),
        ("softmax", x => x[0].Softmax(), [[0, 3]]),
        ("log softmax", x => x[0].LogSoftmax(), [[0, 3]]),
        ("layer norm", x => x[0].LayerNorm(x[1], x[2]), [[0, 4], [4], [4]]),
        ("attention", x => x[0].Attention(2, true), [[0, 3, 12]]),
        ("embedding", x => x[0].Embedding(new Variable(Tensor.Zeros(DType.Int32, 0, 2))), [[5, 4]]),
        ("cross entropy", x => x[0].CrossEntropy(new Variable(Tensor.Zeros(DType.Int32, 0))), [[0, 4]]),
        ("correct", x => x[0].Correct(new Variable(Tensor.Zeros(DType.Int32, 0))), [[0, 4]]),
    ];

    public static TheoryData<string> Names() => [.. All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void EmptyTensors_RunForwardAndBackward(string name)
    {
        var (_, function, shapes) = All.Single(c => c.Name == name);
        foreach (var dtype in new[] { DType.Float32, DType.Float64 })
        {
            Variable[] x = [.. shapes.Select(s => new Variable(Tensor.Full(dtype, 0.5, new Shape(s)), true))];
            var y = (Variable)function(x);
            y.Backward(Tensor.Full(dtype, 1, y.Data.Shape));
            foreach (var input in x.Where(v => v.Gradient is not null))
            {
                Assert.Equal(input.Data.Shape, input.Gradient!.Shape);
                Assert.All(input.Gradient.Cast(DType.Float64).ToArray<double>(), g => Assert.True(double.IsFinite(g)));
            }
        }
    }

    [Fact]
    public void EmptySumsAndProducts_AreTheNeutralElement()
    {
        var empty = new Variable(Tensor.Zeros(DType.Float64, 2, 0));
        Assert.Equal([0, 0], ((Variable)empty.Sum([1])).Data.ToArray<double>());
        Assert.Equal([1, 1], ((Variable)empty.Product([1])).Data.ToArray<double>());
        Assert.Equal(0, ((Variable)empty.Sum()).Data.At());
        Assert.Throws<ShapeException>(() => empty.Max([1]));
    }
}
