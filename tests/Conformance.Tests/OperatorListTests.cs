using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Ops;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>
/// OPS-01 to OPS-21, LOG-02 to LOG-04, CPX-01: what a user may expect by its usual name is there, under that name or
/// the one beside it, with every check run: none is passed over but for a reason that is named here.
/// </summary>
public sealed class OperatorListTests
{
    // "usual=ours" where names differ.
    private static readonly (string Group, string Names)[] Expected =
    [
        ("of elements", """
            neg=negate abs sign exp expm1 log log1p log2 sqrt rsqrt cbrt square reciprocal pow pow=pow-scalar sin cos tan
            asin acos atan atan2 sinh cosh tanh asinh acosh atanh erf lgamma sigmoid log-sigmoid relu relu6 leaky-relu elu
            selu celu gelu gelu-tanh silu mish softplus softsign hard-sigmoid hard-swish hard-tanh one-minus clamp floor
            ceil round where masked-fill maximum minimum hypot logaddexp=log-add-exp add subtract multiply divide equal
            not-equal less less-equal greater greater-equal
            """),
        ("soft logic", """
            or-max or-prob-sum nand nor xor implies or-smooth nand-smooth nor-smooth xor-smooth implies-smooth exists
            exists-smooth exists-prob forall=for-all forall=for-all-smooth forall=for-all-prob
            """),
        ("reductions", """
            sum mean product max min logsumexp=log-sum-exp variance std norm any all argmax=arg-max argmin=arg-min cumsum
            cumprod
            """),
        ("contractions and layers", """
            einsum matmul linear batched-matmul=matmul conv1d=conv1d-any conv2d conv2d=conv2d-any conv3d=conv3d-any
            conv-transpose1d conv-transpose2d conv-transpose3d max-pool2d max-pool avg-pool2d avg-pool adaptive-avg-pool
            adaptive-max-pool interpolate embedding gather scatter-add index-select one-hot top-k sort softmax log-softmax
            layer-norm layer-norm=layer-norm-any rms-norm group-norm batch-norm instance-norm dropout attention
            attention=scaled-dot-product lstm gru straight-through gumbel-softmax
            """),
        ("losses", """
            cross-entropy cross-entropy=cross-entropy-loss nll=nll-loss bce-with-logits mse=mse-loss l1=l1-loss
            huber=huber-loss kl=kl-div cosine=cosine-similarity cosine=cosine-embedding-loss hinge=hinge-loss ctc=ctc-loss
            """),
        ("shape", """
            reshape transpose permute broadcast=broadcast-to squeeze unsqueeze concat stack split slice pad tile roll flip
            tril triu diag trace kron meshgrid
            """),
        ("linear algebra", """
            inverse solve determinant logdet=log-det cholesky qr svd eigh matrix-exponential=matrix-exp
            norm=frobenius-norm norm=nuclear-norm norm=spectral-norm
            """),
        ("complex", """
            complex-conj complex-abs complex-angle complex-real complex-imag complex-matmul complex-add complex-subtract
            complex-multiply complex-divide
            """),
    ];

    // Steps, counts and draws: their derivative is 0 wherever it is one. straight-through has one that is none.
    private static readonly string[] Flat =
    [
        "sign", "floor", "ceil", "round", "equal", "not-equal", "less", "less-equal", "greater", "greater-equal", "any",
        "all", "arg-max", "arg-min", "one-hot", "straight-through",
    ];

    // Two operands of elements: repeated like any two.
    private static readonly string[] Pairs =
    [
        "pow", "atan2", "where", "masked-fill", "maximum", "minimum", "hypot", "log-add-exp", "add", "subtract",
        "multiply", "divide", "equal", "not-equal", "less", "less-equal", "greater", "greater-equal", "or-max",
        "or-prob-sum", "nand", "nor", "xor", "implies", "or-smooth", "nand-smooth", "nor-smooth", "xor-smooth",
        "implies-smooth", "complex-add", "complex-subtract", "complex-multiply", "complex-divide",
    ];

    public static TheoryData<string, string> Names()
    {
        var data = new TheoryData<string, string>();
        foreach (var (group, names) in Expected)
            foreach (var name in names.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries))
                data.Add(group, name);
        return data;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void IsThere_WithEveryCheckRun(string group, string listed)
    {
        // As the list calls it; after "=" what it is called here.
        var name = listed[(listed.IndexOf('=', StringComparison.Ordinal) + 1)..];
        var op = OpTable.Find(name);
        Assert.True(op is not null, $"{group}: there is no operator {name}");
        var row = OpMatrix.Row(op);
        foreach (var cell in row.Cells)
        {
            var mayBeLeftOut = cell.Check switch
            {
                OpCheckKind.Gradient or OpCheckKind.SecondGradient => Flat.Contains(name),
                OpCheckKind.Tangent => Flat.Contains(name) && name != "straight-through",
                OpCheckKind.Broadcasting => !Pairs.Contains(name),
                _ => false,
            };
            var holds = cell.State == OpCellState.Pass || (mayBeLeftOut && cell.State == OpCellState.NotApplicable);
            Assert.True(holds, $"{name} {cell.Check} {cell.DType}: {cell.State} {cell.Note}");
        }

        Assert.Equal([DType.Float32, DType.Float64], row.Cells.Select(c => c.DType).Distinct().Order());
    }
}
