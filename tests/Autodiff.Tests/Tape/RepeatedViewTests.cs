using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// OPS-06, TEN-06, AD-15: what a gradient repeats is a view, and element-wise readers compute it once.
/// </summary>
public sealed class RepeatedViewTests
{
    private static Variable Of(int rows, int columns) => new(
        Tensor.Of(Enumerable.Range(0, rows * columns).Select(i => (float)Math.Sin(i)).ToArray(), rows, columns),
        requiresGradient: true);

    public static TheoryData<string> Reductions() => ["sum", "mean", "all", "twice"];

    private static Value Reduced(string how, Value x) => how switch
    {
        "sum" => x.Sum([1]),
        "mean" => x.Mean([0]),
        "all" => x.Sum(),
        _ => x.Sum([1], keep: true).Mean([0]) * 3,
    };

    [Theory]
    [MemberData(nameof(Reductions))]
    public void TheGradientOfASum_TakesNoMemoryForWhatItRepeats(string how)
    {
        var x = Of(100, 300);
        var gradient = Differentiate.Gradient([(Variable)Reduced(how, x).Sum()], [x])[0].Data;
        Assert.Equal(x.Data.Shape, gradient.Shape);
        Assert.True(gradient.Storage.Bytes <= 300 * sizeof(float), $"{gradient.Storage.Bytes}");
        Assert.Equal(gradient.ToArray<float>(), gradient.Values<float>().ToArray());
        // Kept gradients are copies of their own, to be written into.
        ((Variable)Reduced(how, x).Sum()).Backward();
        Assert.Equal(gradient.ToArray<float>(), x.Gradient!.Values<float>().ToArray());
        x.Gradient.Writable<float>()[5] = 7;
        Assert.NotEqual(7, gradient.At(0, 5));
    }

    [Theory]
    [MemberData(nameof(Reductions))]
    public void Readers_SeeTheSameBits_AsIfItWereWrittenOut(string how)
    {
        var (x, w) = (Of(7, 9), new Variable(Of(9, 7).Data.Transpose()));
        Value Repeated() => Differentiate.Gradient([(Variable)Reduced(how, x).Sum()], [x])[0];
        var whole = new Variable(((Variable)Repeated()).Data.Copy());
        var condition = new Variable(Tensor.Of(Enumerable.Range(0, 9).Select(i => i % 2).ToArray(), 9));
        Func<Value, Value>[] readers =
        [
            g => g.Exp(), g => g * 2, g => g * w, g => w - g, g => g / g, g => g.Clamp(-0.5, 0.5),
            g => condition.Where(g, w), g => g.Sum([0]), g => g.MatMul(w.Transpose()), g => g.Reshape([new Dim(63)]),
            g => g.Square().Tanh().Sum([1]),
        ];
        foreach (var reader in readers)
        {
            var (seen, plain) = (((Variable)reader(Repeated())).Data, ((Variable)reader(whole)).Data);
            Assert.Equal(plain.Type, seen.Type);
            Assert.Equal(plain.ToArray<float>().Select(BitConverter.SingleToInt32Bits),
                seen.ToArray<float>().Select(BitConverter.SingleToInt32Bits));
        }
    }

    [Fact]
    public void AViewThatRepeats_IsNotWrittenInto()
    {
        var view = Tensor.Of([1f, 2], 2).BroadcastTo(new Shape(3, 2));
        Assert.Throws<ShapeException>(() => view.Fill(0));
        Assert.Throws<ShapeException>(() => view.Set(0, 1, 1));
        Assert.Throws<ShapeException>(() => view.CopyFrom(Tensor.Of([1f, 2], 2)));
        Assert.Equal([1f, 2, 1, 2, 1, 2], view.ToArray<float>());
    }

    [Fact]
    public void ConstantsOfAGraph_KeepTheirType_UnlessAllItTakesIsWider()
    {
        // GIR-02, TEN-03
        var b = new GraphBuilder();
        b.Output("narrow", b.Input("x", DType.Float32, Dim.Batch, 2) * 0.1);
        b.Output("wide", b.Input("z", DType.Float64, Dim.Batch, 2) * 0.1);
        var graph = b.Build();
        IReadOnlyDictionary<string, Variable> Run(Tensor x) => GraphRunner.Run(graph, new Dictionary<string, Variable>
        {
            ["x"] = new(x), ["z"] = new(Tensor.Of([1.0, 2], 1, 2)),
        });
        Assert.Equal([0.1f, 0.2f], Run(Tensor.Of([1f, 2], 1, 2))["narrow"].Data.ToArray<float>());
        Assert.Equal([0.1, 0.2], Run(Tensor.Of([1f, 2], 1, 2))["wide"].Data.ToArray<double>());
        Assert.Equal([0.1, 0.2], Run(Tensor.Of([1.0, 2], 1, 2))["narrow"].Data.ToArray<double>());
    }
}
