using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Convoy.Autodiff.Ops;

/// <summary>The operators there are. Names are part of the format of graphs: never reused, never renamed.</summary>
public static class OpTable
{
    // Leaves.
    public static readonly Op Input = new Input();
    public static readonly Op Parameter = new Parameter();
    public static readonly Op Full = new Full();
    public static readonly Op Eye = new Eye();

    // Element by element.
    public static readonly Op Add = new Add();
    public static readonly Op Subtract = new Subtract();
    public static readonly Op Multiply = new Multiply();
    public static readonly Op Divide = new Divide();
    public static readonly Op Negate = new Negate();
    public static readonly Op Maximum = new Maximum();
    public static readonly Op Minimum = new Minimum();
    public static readonly Op Pow = new Pow();
    public static readonly Op PowScalar = new PowScalar();
    public static readonly Op Equal = new Equal();
    public static readonly Op Less = new Less();
    public static readonly Op Greater = new Greater();
    public static readonly Op LessEqual = new LessEqual();
    public static readonly Op GreaterEqual = new GreaterEqual();
    public static readonly Op Relu = new Relu();
    public static readonly Op ReluGrad = new ReluGrad();
    public static readonly Op Sigmoid = new Sigmoid();
    public static readonly Op SigmoidGrad = new SigmoidGrad();
    public static readonly Op OneMinus = new OneMinus();
    public static readonly Op Tanh = new Tanh();
    public static readonly Op TanhGrad = new TanhGrad();
    public static readonly Op Exp = new Exp();
    public static readonly Op Log = new Log();
    public static readonly Op Abs = new Abs();
    public static readonly Op Sqrt = new Sqrt();
    public static readonly Op Square = new Square();
    public static readonly Op Softplus = new Softplus();
    public static readonly Op LeakyRelu = new LeakyRelu();
    public static readonly Op Elu = new Elu();
    public static readonly Op Silu = new Silu();
    public static readonly Op Mish = new Mish();
    public static readonly Op Gelu = new Gelu();
    public static readonly Op GeluGrad = new GeluGrad();
    public static readonly Op GeluTanh = new GeluTanh();
    public static readonly Op HardSigmoid = new HardSigmoid();
    public static readonly Op HardSwish = new HardSwish();

    // Reductions and shapes.
    public static readonly Op Sum = new Sum();
    public static readonly Op Mean = new Mean();
    public static readonly Op Max = new Max();
    public static readonly Op Min = new Min();
    public static readonly Op Product = new Product();
    public static readonly Op Reshape = new Reshape();
    public static readonly Op Transpose = new Transpose();
    public static readonly Op BroadcastTo = new BroadcastTo();
    public static readonly Op Slice = new Slice();
    public static readonly Op SliceGrad = new SliceGrad();
    public static readonly Op Concat = new Concat();
    public static readonly Op Diagonal = new Diagonal();
    public static readonly Op DiagonalEmbed = new DiagonalEmbed();

    // Contractions.
    public static readonly Op MatMul = new MatMul();
    public static readonly Op Linear = new Linear();
    public static readonly Op Einsum = new Einsum();
    public static readonly Op Conv2d = new Conv2d();
    public static readonly Op Conv2dGradInput = new Conv2dGradInput();
    public static readonly Op Conv2dGradWeight = new Conv2dGradWeight();

    // Layers and losses.
    public static readonly Op MaxPool2d = new MaxPool2d();
    public static readonly Op MaxPool2dGrad = new MaxPool2dGrad();
    public static readonly Op PlaneGather = new PlaneGather();
    public static readonly Op AvgPool2d = new AvgPool2d();
    public static readonly Op AvgPool2dGrad = new AvgPool2dGrad();
    public static readonly Op Embedding = new Embedding();
    public static readonly Op EmbeddingGrad = new EmbeddingGrad();
    public static readonly Op Softmax = new Softmax();
    public static readonly Op SoftmaxGrad = new SoftmaxGrad();
    public static readonly Op LogSoftmax = new LogSoftmax();
    public static readonly Op LogSoftmaxGrad = new LogSoftmaxGrad();
    public static readonly Op LayerNorm = new LayerNorm();
    public static readonly Op LayerNormGradInput = new LayerNormGradInput();
    public static readonly Op LayerNormGradGain = new LayerNormGradGain();
    public static readonly Op Attention = new Attention();
    public static readonly Op AttentionGrad = new AttentionGrad();
    public static readonly Op CrossEntropy = new CrossEntropy();
    public static readonly Op CrossEntropyGrad = new CrossEntropyGrad();
    public static readonly Op Correct = new Correct();

    /// <summary>All of them; the conformance tests run over this list.</summary>
    public static readonly ImmutableArray<Op> All =
    [
        Input, Parameter, Full, Eye,
        Add, Subtract, Multiply, Divide, Negate, Maximum, Minimum, Pow, PowScalar, Equal, Less, Greater, LessEqual,
        GreaterEqual, Relu, ReluGrad, Sigmoid, SigmoidGrad, OneMinus, Tanh, TanhGrad, Exp, Log, Abs, Sqrt, Square,
        Softplus, LeakyRelu, Elu, Silu, Mish, Gelu, GeluGrad, GeluTanh, HardSigmoid, HardSwish,
        Sum, Mean, Max, Min, Product, Reshape, Transpose, BroadcastTo, Slice, SliceGrad, Concat, Diagonal,
        DiagonalEmbed,
        MatMul, Linear, Einsum, Conv2d, Conv2dGradInput, Conv2dGradWeight,
        MaxPool2d, MaxPool2dGrad, PlaneGather, AvgPool2d, AvgPool2dGrad, Embedding, EmbeddingGrad, Softmax,
        SoftmaxGrad, LogSoftmax, LogSoftmaxGrad, LayerNorm, LayerNormGradInput, LayerNormGradGain, Attention,
        AttentionGrad, CrossEntropy, CrossEntropyGrad, Correct,
    ];

    private static readonly FrozenDictionary<string, Op> ByName = All.ToFrozenDictionary(op => op.Name, StringComparer.Ordinal);

    public static Op? Find(string name) => ByName.GetValueOrDefault(name);
}
