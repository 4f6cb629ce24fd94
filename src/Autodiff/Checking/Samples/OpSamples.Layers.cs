using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Samples;

// Cases of contractions, images, layers and losses.
internal static partial class OpSamples
{
    private static IEnumerable<OpSample> Contractions()
    {
        foreach (var (ta, tb) in new[] { (false, false), (true, false), (false, true), (true, true) })
        {
            var attributes = Attributes.None;
            if (ta) attributes = attributes.With("ta", true);
            if (tb) attributes = attributes.With("tb", true);
            int[] a = ta ? [4, 3] : [3, 4];
            int[] b = tb ? [5, 4] : [4, 5];
            yield return new OpSample(OpTable.MatMul, attributes, [Normal(a), Normal(b)]);
            yield return new OpSample(OpTable.MatMul, attributes, [Normal([2, 1, .. a]), Normal([3, .. b])]);
            yield return new OpSample(OpTable.MatMul, attributes, [Normal([2, .. a]), Normal(b)]);
        }

        // More terms than one block of K-2.
        yield return new OpSample(OpTable.MatMul, Attributes.None,
            [Normal(2, 300), Normal(300, 2)])
        { FloatTolerance = 2e-4 };
        foreach (var activation in new[] { "", "relu", "tanh", "sigmoid" })
        {
            var attributes = Attributes.Of("activation", activation);
            yield return new OpSample(OpTable.Linear, attributes, [Normal(3, 4), Normal(5, 4), Normal(5)]);
            yield return new OpSample(OpTable.Linear, attributes, [Normal(2, 3, 4), Normal(5, 4)]);
            var columns = attributes.With("columns", true);
            yield return new OpSample(OpTable.Linear, columns, [Normal(3, 4), Normal(4, 5), Normal(5)]);
            yield return new OpSample(OpTable.Linear, columns, [Normal(2, 3, 4), Normal(4, 5)]);
        }

        string[] specs =
            ["ij,jk->ik", "bij,bjk->bik", "ij->ji", "abc,dbe->adce", "i,ij,j->", "ab,bc,cd->ad", "i,j->ij"];
        var sizes = new Dictionary<char,
            int>
        { ['i'] = 2, ['j'] = 3, ['k'] = 4, ['a'] = 2, ['b'] = 3, ['c'] = 2, ['d'] = 4, ['e'] = 2 };
        foreach (var spec in specs)
        {
            Tensor[] inputs = [.. EinsumSpec.Parse(spec).Operands.Select(o => Normal([.. o.Select(c => sizes[c])]))];
            yield return new OpSample(OpTable.Einsum, Attributes.Of("spec", spec), inputs);
        }
    }

    private static IEnumerable<OpSample> Images()
    {
        var padded = Attributes.Of("stride", 2, "padding", 1);
        var grouped = Attributes.Of("groups", 2, "dilation", 2);
        yield return new OpSample(OpTable.Conv2d, padded, [Normal(2, 3, 5, 6), Normal(4, 3, 3, 3), Normal(4)]);
        yield return new OpSample(OpTable.Conv2d, padded.With("activation", "tanh"),
            [Normal(1, 2, 5, 5), Normal(3, 2, 3, 3), Normal(3)]);
        yield return new OpSample(OpTable.Conv2d, grouped, [Normal(2, 4, 6, 6), Normal(4, 2, 2, 2)]);
        yield return new OpSample(
            OpTable.Conv2dGradInput, padded.With("height", 5).With("width", 6),
                [Normal(2, 4, 3, 3), Normal(4, 3, 3, 3)])
        {
            GradientOf = OpTable.Conv2d,
        };
        yield return new OpSample(
            OpTable.Conv2dGradWeight, padded.With("height", 3).With("width", 3),
                [Normal(2, 3, 5, 6), Normal(2, 4, 3, 3)])
        {
            GradientOf = OpTable.Conv2d,
        };

        var window = Attributes.Of("kernel", 2, "stride", 2);
        yield return new OpSample(OpTable.MaxPool2d, window, [Distinct(1, 2, 2, 6)]);
        yield return new OpSample(OpTable.AvgPool2d, Attributes.Of("kernel", 3, "stride", 1).With("padding", 1),
            [Normal(2, 2, 4, 5)]);
        var size = window.With("height", 4).With("width", 6);
        yield return new OpSample(OpTable.AvgPool2dGrad, size, [Normal(2, 2, 2, 3)]) { GradientOf = OpTable.AvgPool2d };
        var places = Tensor.Of([0, 3, 10, 12, 8, 23], 1, 1, 2, 3);
        yield return new OpSample(OpTable.MaxPool2dGrad, size,
            [Normal(1, 1, 2, 3), places])
        { GradientOf = OpTable.MaxPool2d, HasSecondDerivative = false };
        var planes = Normal(1, 1, 4, 6);
        var values = planes.ToArray<double>();
        yield return new OpSample(OpTable.PlaneGather, Attributes.None, [planes, places]) { IsSmooth = false };
    }

    private static IEnumerable<OpSample> Layers()
    {
        yield return new OpSample(OpTable.Embedding, Attributes.None, [Normal(5, 4), Ids(5, 2, 3)]);
        yield return new OpSample(OpTable.EmbeddingGrad, Attributes.Of("rows", 5), [Normal(2, 3, 4), Ids(5, 2, 3)])
        {
            GradientOf = OpTable.Embedding,
        };
        yield return new OpSample(OpTable.Softmax, Attributes.None, [Normal(3, 4)]);
        yield return new OpSample(OpTable.LogSoftmax, Attributes.None, [Normal(2, 3, 5)]);
        yield return new OpSample(OpTable.LayerNorm, Attributes.None, [Normal(3, 5), Normal(5), Normal(5)])
        {
            Differentiable = [0, 1, 2],
        };
        yield return new OpSample(OpTable.LayerNorm, Attributes.None, [Normal(2, 3, 4), Normal(4), Normal(4)]);
        yield return new OpSample(OpTable.LayerNormGradInput, Attributes.None,
            [Normal(3, 5), Normal(3, 5), Normal(5), Normal(3), Positive(3)])
        {
            GradientOf = OpTable.LayerNorm,
        };
        yield return new OpSample(OpTable.LayerNormGradGain, Attributes.None,
            [Normal(3, 5), Normal(3, 5), Normal(3), Positive(3)])
        {
            GradientOf = OpTable.LayerNorm, Differentiable = [0, 1],
        };
        foreach (var causal in new[] { false, true })
        {
            var heads = Attributes.Of("heads", 2, "causal", causal);
            yield return new OpSample(OpTable.Attention, heads, [Normal(2, 4, 12)]);
            // y and lse belong to qkv: as above.
            yield return new OpSample(OpTable.AttentionGrad, heads,
                [Normal(2, 4, 4), Normal(2, 4, 12), Normal(2, 4, 4), Normal(2, 2, 4)])
            {
                GradientOf = OpTable.Attention, IsSmooth = false,
            };
        }

        var targets = Ids(4, 5);
        yield return new OpSample(OpTable.CrossEntropy, Attributes.None, [Normal(5, 4), targets]);
        yield return new OpSample(OpTable.CrossEntropyGrad, Attributes.None,
            [Normal(5), Normal(5, 4), targets, Normal(5)])
        {
            GradientOf = OpTable.CrossEntropy, IsSmooth = false,
        };
        var logits = Tensor.Of([3.0, 1, 2, 1, 5, 5, 0, -1, 0.5], 3, 3);
        yield return new OpSample(OpTable.Correct, Attributes.None,
            [logits, Tensor.Of([0, 2, 2], 3)])
        { IsSmooth = false };
    }
}
