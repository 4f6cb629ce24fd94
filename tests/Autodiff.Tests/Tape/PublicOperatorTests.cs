using System.Reflection;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// OPS-21, OPS-05, OPS-13, OPS-19, EST-01, EST-02: every operator of the catalogue can be called by a program, through
/// a public method with typed settings.
/// </summary>
public sealed class PublicOperatorTests
{
    // Parts of gradients and formulas, and leaves, which are made and not applied.
    private static readonly string[] Parts =
    [
        "Input", "Parameter", "Full", "Eye", "SliceGrad", "Conv2dGradInput", "Conv2dGradWeight", "MaxPool2dGrad",
        "PlaneGather", "AvgPool2dGrad", "EmbeddingGrad", "SoftmaxGrad", "LogSoftmaxGrad", "LayerNormGradInput",
        "LayerNormGradGain", "AttentionGrad", "CrossEntropyGrad", "ReluGrad", "SigmoidGrad", "TanhGrad", "GeluGrad",
        "Diagonal", "DiagonalEmbed", "Fold", "Unfold", "Resample", "DropoutMask", "SliceMean", "Statistic", "Packaged",
        "Uniform", "Mark", "Replace", "Iota", "IndexAdd", "Fused",
    ];

    // Where the method is not called as the operator.
    private static readonly Dictionary<string, string> Called = new()
    {
        ["PowScalar"] = "Pow", ["Permute"] = "Transpose", ["AllOf"] = "All", ["Conv2dAny"] = "Conv2d",
        ["MaxPoolNd"] = "MaxPool", ["AvgPoolNd"] = "AvgPool", ["LayerNormAny"] = "LayerNorm",
        ["ScaledDotProduct"] = "ScaledDotProductAttention", ["ComplexAdd"] = "op_Addition",
        ["ComplexSubtract"] = "op_Subtraction", ["ComplexMultiply"] = "op_Multiply",
        ["ComplexDivide"] = "op_Division", ["ComplexReal"] = "Real", ["ComplexImag"] = "Imaginary",
    };

    public static TheoryData<string> Operators() =>
    [
        .. typeof(OpTable).GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(f => f.FieldType == typeof(Op)).Select(f => f.Name).Except(Parts),
    ];

    [Theory]
    [MemberData(nameof(Operators))]
    public void EveryOperator_HasAPublicMethod(string name)
    {
        var owner = name.StartsWith("Complex", StringComparison.Ordinal) ? typeof(ComplexValue) : typeof(Functions);
        var method = Called.GetValueOrDefault(name, owner == typeof(ComplexValue) ? name["Complex".Length..] : name);
        Assert.Contains(owner.GetMembers(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance),
            m => m.Name == method);
    }

    private static Variable Counting(params int[] dims)
    {
        var shape = new Shape(dims);
        return new Variable(
            Tensor.Of<double>([.. Enumerable.Range(0, (int)shape.Count).Select(i => (i * 7 % 11) - 5.0)], shape), true);
    }

    private static double[] Numbers(Value value) => ((Variable)value).Data.ToArray<double>();

    [Fact]
    public void Convolutions_OfOneDimension_AreThoseOfTwoAndThree()
    {
        var (x, w, b) = (Counting(2, 4, 9), Counting(6, 2, 3), Counting(6));
        var one = x.Conv1d(w, b, stride: 2, padding: 1, dilation: 2, groups: 2);
        var two = x.Reshape(2, 4, 1, 9).Conv2d(w.Reshape(6, 2, 1, 3), b, [1, 2], [0, 1], [1, 2], groups: 2);
        var three = x.Reshape(2, 4, 1, 1, 9)
            .Conv3d(w.Reshape(6, 2, 1, 1, 3), b, [1, 1, 2], [0, 0, 1], [1, 1, 2], groups: 2);
        Assert.Equal("[2, 6, 4]", one.Type.Text);
        Assert.Equal(Numbers(one), Numbers(two));
        Assert.Equal(Numbers(one), Numbers(three));
    }

    [Fact]
    public void TransposedConvolutions_AreAdjoints()
    {
        // ⟨conv x, y⟩ = ⟨x, convᵀ y⟩ with one weight.
        var (x, w, y) = (Counting(1, 2, 8), Counting(3, 2, 3), Counting(1, 3, 4));
        var there = (x.Conv1d(w, stride: 2, padding: 1) * y).Sum();
        var back = (y.ConvTranspose1d(w, stride: 2, padding: 1, outputPadding: 1) * x).Sum();
        Assert.Equal(Numbers(there)[0], Numbers(back)[0], 9);
        var flat = y.Reshape(1, 3, 1, 4).ConvTranspose2d(w.Reshape(3, 2, 1, 3), null, [1, 2], [0, 1], [0, 1]);
        var deep = y.Reshape(1, 3, 1, 1, 4)
            .ConvTranspose3d(w.Reshape(3, 2, 1, 1, 3), null, [1, 1, 2], [0, 0, 1], [0, 0, 1]);
        Assert.Equal(Numbers(flat), Numbers(deep));
        Assert.Equal("[1, 2, 1, 8]", flat.Type.Text);
    }

    [Fact]
    public void Pools_TakeOneNumberOrOneForEachDimension()
    {
        var x = new Variable(Tensor.Of([1.0, 5, 2, 4, 3, 0], 1, 1, 2, 3));
        Assert.Equal([5, 4], Numbers(x.MaxPool([1, 3])));
        Assert.Equal([2.5, 4, 1], Numbers(x.AvgPool([2, 1])));
        Assert.Equal([5, 5], Numbers(x.MaxPool(2, stride: 1)));
        Assert.Equal([2.5], Numbers(x.AdaptiveAvgPool(1)));
        Assert.Equal([5, 5], Numbers(x.AdaptiveMaxPool([1, 2])));
        Assert.Equal([1, 1, 5, 5, 2, 2], Numbers(x.Slice(2, 0, 1).Interpolate([1, 6])));
        Assert.Equal([0, 0.25, 0.75, 1], Numbers(new Variable(Tensor.Of([0.0, 1], 1, 1, 2)).Interpolate(4, "linear")));
    }

    [Fact]
    public void Norms_BringTheirGroupsToMeanZero()
    {
        var x = Counting(3, 4, 5);
        double Mean(Value y) => Numbers(y).Average();
        Assert.Equal(0, Mean(x.LayerNorm(2)), 12);
        Assert.Equal(Numbers(x.LayerNorm(1)), Numbers(x.LayerNorm(Ones(5), Ones(5) * 0)), Near);
        Assert.Equal(Numbers(x.GroupNorm(4)), Numbers(x.InstanceNorm()), Near);
        Assert.Equal(Numbers(x.GroupNorm(1)), Numbers(x.LayerNorm(2)), Near);
        var (y, mean, variance) = x.BatchNorm(Ones(4), Ones(4) * 2);
        Assert.Equal(2, Mean(y), 12);
        Assert.Equal(Numbers(x.Mean([0, 2])), Numbers(mean.Slice(0, 2, 1)), Near);
        Assert.Equal(Numbers(x.Variance([0, 2], unbiased: false)), Numbers(variance.Slice(0, 2, 1)), Near);
        using var evaluating = TrainingMode.Evaluate();
        var running = x.BatchNorm(Ones(4), Ones(4) * 0, Ones(4), Ones(4) * 4, epsilon: 0).Y;
        Assert.Equal(Numbers((x - 1) / 2), Numbers(running), Near);
    }

    private static Value Ones(int n) => new Variable(Tensor.Ones(DType.Float64, n));

    [Fact]
    public void Dropout_IsAFunctionOfSeedAndStream_AndNothingInEvaluation()
    {
        var x = Ones(1000);
        var kept = Numbers(x.Dropout(0.25, seed: 3));
        Assert.Equal([0, 1 / 0.75], kept.Distinct().Order());
        Assert.InRange(kept.Count(v => v == 0), 200, 300);
        Assert.Equal(kept, Numbers(x.Dropout(0.25, seed: 3)));
        Assert.NotEqual(kept, Numbers(x.Dropout(0.25, seed: 4)));
        Assert.NotEqual(kept, Numbers(x.Dropout(0.25, seed: 3, stream: 1)));
        using var evaluating = TrainingMode.Evaluate();
        Assert.Equal(Numbers(x), Numbers(x.Dropout(0.25, seed: 3)));
    }

    [Fact]
    public void Attention_IsCausal_AndTakesAMask()
    {
        var (q, k, v) = (Counting(3, 4), Counting(3, 4), Counting(3, 2));
        var causal = Numbers(q.ScaledDotProductAttention(k, v, causal: true));
        Assert.Equal(Numbers(v)[..2], causal[..2], Near);
        const double Hidden = double.NegativeInfinity;
        var hidden = Tensor.Of([0, Hidden, Hidden, 0, 0, Hidden, 0, 0, 0], 3, 3);
        Assert.Equal(causal, Numbers(q.ScaledDotProductAttention(k, v, new Variable(hidden))), Near);
    }

    [Fact]
    public void RecurrentLayers_AreTheirCellsInARow()
    {
        var (x, h, c) = (Counting(2, 3, 4) * 0.1, Counting(2, 5) * 0.1, Counting(2, 5) * 0.2);
        var (w, u, b) = (Counting(20, 4) * 0.1, Counting(20, 5) * 0.1, Counting(20) * 0.1);
        var lstm = x.Lstm(h, c, w, u, b);
        var (nextH, nextC) = (h, c);
        for (var t = 0; t < 3; t++) (nextH, nextC) = x.Slice(1, t, 1).Squeeze(1).LstmCell(nextH, nextC, w, u, b);
        Assert.Equal((Numbers(nextH), Numbers(nextC)), (Numbers(lstm.H), Numbers(lstm.C)), new Same());
        Assert.Equal("[2, 3, 5]", lstm.All.Type.Text);
        var gru = x.Gru(h, w.Slice(0, 0, 15), u.Slice(0, 0, 15), b.Slice(0, 0, 15), b.Slice(0, 5, 15));
        for (var t = 0; t < 3; t++)
            h = x.Slice(1, t, 1).Squeeze(1)
                .GruCell(h, w.Slice(0, 0, 15), u.Slice(0, 0, 15), b.Slice(0, 0, 15), b.Slice(0, 5, 15));
        Assert.Equal(Numbers(h), Numbers(gru.H));
    }

    private sealed class Same : IEqualityComparer<(double[], double[])>
    {
        public bool Equals((double[], double[]) x, (double[], double[]) y) =>
            x.Item1.SequenceEqual(y.Item1) && x.Item2.SequenceEqual(y.Item2);

        public int GetHashCode((double[], double[]) obj) => obj.Item1.Length;
    }

    [Fact]
    public void Losses_AreTheirFormulas()
    {
        var (x, y) = (Counting(4), Counting(4) * 0.5);
        double One(Value v) => Numbers(v)[0];
        Assert.Equal(One((x - y).Square().Mean()), One(x.MseLoss(y)), 12);
        Assert.Equal(One((x - y).Abs().Sum()), One(x.L1Loss(y, "sum")), 12);
        Assert.Equal(One((x - y).Abs().Mean()) - 0.5, One((x * 10).HuberLoss(y * 10) / 10) - 0.45, 9);
        var rows = Counting(3, 4);
        var targets = new Variable(Tensor.Of([1, 3, 2], 3));
        Assert.Equal(
            Numbers(rows.CrossEntropy(targets)), Numbers(rows.CrossEntropyLoss(targets, reduction: "none")), Near);
        Assert.Equal(One(rows.CrossEntropyLoss(targets)), One(rows.LogSoftmax().NllLoss(targets)), 12);
        Assert.Equal(
            Numbers(rows.CrossEntropy(targets))[..2].Average(), One(rows.CrossEntropyLoss(targets, ignore: 2)), 12);
        Assert.Equal(0, One(rows.LogSoftmax().KlDiv(rows.Softmax())), 12);
        Assert.Equal([1, 1, 1], Numbers(rows.CosineSimilarity(rows * 2)), Near);
        var signs = new Variable(Tensor.Of([1.0, -1, 1], 3));
        Assert.Equal([0, 1, 0], Numbers(rows.CosineEmbeddingLoss(rows, signs, reduction: "none")), Near);
        var two = new Variable(Tensor.Of([2.0, -2], 2));
        Assert.Equal([0, 3], Numbers(two.HingeLoss(Ones(2), reduction: "none")));
    }

    // EST-01, EST-02
    [Fact]
    public void Estimators_HaveHardValuesAndSoftGradients()
    {
        var x = new Variable(Tensor.Of([0.2, -0.7], 2), requiresGradient: true);
        var y = (Variable)x.Round().StraightThrough(x * 3);
        Assert.Equal([0, -1], y.Data.ToArray<double>());
        ((Variable)y.Sum()).Backward();
        Assert.Equal([3, 3], x.Gradient!.ToArray<double>());
        var logits = Counting(50, 4);
        var hard = Numbers(logits.GumbelSoftmax(seed: 1, temperature: 0.5, hard: true));
        Assert.Equal(50, hard.Count(v => v == 1));
        Assert.Equal(150, hard.Count(v => v == 0));
        Assert.Equal(hard, Numbers(logits.GumbelSoftmax(1, 0.5, hard: true)));
        Assert.NotEqual(hard, Numbers(logits.GumbelSoftmax(2, 0.5, hard: true)));
    }

    private static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-12 * Math.Max(1, Math.Abs(a));
}
