using Convoy.Autodiff.Execution;
using Convoy.Kernels;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>
/// Decision 4: the gradient of a step has the same bits for any cut of its slices into shares (K-1 to K-4).
/// </summary>
public sealed class ShareTests
{
    public static TheoryData<string, int, int, int> Cases()
    {
        var data = new TheoryData<string, int, int, int>();
        foreach (var name in SmallModels.Names)
        {
            foreach (var workers in new[] { 2, 3, 5 })
            {
                data.Add(name, 8, 24, workers);
                data.Add(name, 8, 19, workers);     // a short last batch: the last slices are short or absent
                data.Add(name, 5, 13, workers);
                data.Add(name, 6, 3, workers);      // most slices absent
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void AnyNumberOfWorkers_GivesTheSameBits(string model, int slices, int rows, int workers)
    {
        var whole = new Step(model, slices, rows).Root([0, slices]);
        int[] cuts = [.. Enumerable.Range(0, workers + 1)
            .Select(i => Math.Min(slices, ((i * slices) + (i * i % 2)) / workers))];
        var cut = new Step(model, slices, rows).Root(cuts);
        Assert.Equal(Bits(whole.Gradient), Bits(cut.Gradient));
        Assert.Equal(whole.Losses, cut.Losses);
        Assert.Contains(whole.Gradient, g => g != 0);
    }

    // DEV-13: a library gets each slice by itself, so its bits do not depend on the share either.
    [Theory]
    [MemberData(nameof(Cases))]
    public void AnyNumberOfWorkers_GivesTheSameBits_WithALibraryForProducts(
        string model, int slices, int rows, int workers)
    {
        Assert.SkipWhen(BlasProvider.Find(BlasLibrary.OpenBlas) is null, "there is no OpenBLAS on this machine");
        using var theirs = BlasProvider.ForJob(new JobSpec { Blas = "openblas" })!.Enter();
        AnyNumberOfWorkers_GivesTheSameBits(model, slices, rows, workers);
    }

    [Theory]
    [InlineData("mlp")]
    [InlineData("tied")]
    public void OneSlicePerWorker_GivesTheSameBits(string model)
    {
        var whole = new Step(model, 7, 21).Root([0, 7]);
        var cut = new Step(model, 7, 21).Root([0, 1, 2, 3, 4, 5, 6, 7]);
        Assert.Equal(Bits(whole.Gradient), Bits(cut.Gradient));
    }

    [Fact]
    public void ScatteredGradientBuffers_HoldWhatContiguousOnesHold()
    {
        var step = new Step("gpt", 8, 24);
        Assert.Equal(
            Bits(step.Root([0, 3, 8], scattered: false).Gradient),
            Bits(step.Root([0, 3, 8], scattered: true).Gradient));
    }

    /// <summary>
    /// OPTIM-06: micro-batches of a slice belong to the job, so they cannot be seen in who computed it.
    /// </summary>
    [Theory]
    [InlineData("mlp", 8, 48, 2)]
    [InlineData("mlp", 8, 45, 4)]      // a short last batch: short and absent slices, a short micro-batch
    [InlineData("gpt", 4, 24, 3)]
    [InlineData("cnn", 5, 13, 2)]
    [InlineData("mlp-dropout", 8, 45, 4)]
    public void MicroBatches_GiveTheSameBitsToAnyNumberOfWorkers(string model, int slices, int rows, int micro)
    {
        var whole = new Step(model, slices, rows, micro).Root([0, slices]);
        var cut = new Step(model, slices, rows, micro).Root([0, 1, slices / 2, slices]);
        Assert.Equal(Bits(whole.Gradient), Bits(cut.Gradient));
        Assert.Equal(whole.Losses, cut.Losses);
        var plain = new Step(model, slices, rows).Root([0, slices]);
        for (var i = 0; i < plain.Gradient.Length; i++) Assert.Equal(plain.Gradient[i], whole.Gradient[i], 1e-4);
        Assert.Equal(plain.Losses.Sum(), whole.Losses.Sum(), 1e-4);
    }

    [Fact]
    public void OneMicroBatchPerSlice_IsTheSliceItself()
    {
        var plain = new Step("mlp", 8, 45).Root([0, 3, 8]);
        var pieces = new Step("mlp", 8, 45, micro: 1).Root([0, 3, 8]);
        Assert.Equal(Bits(plain.Gradient), Bits(pieces.Gradient));
        Assert.Equal(plain.Losses, pieces.Losses);
    }

    /// <summary>OPTIM-06: micro-batches of a program that computes activations again.</summary>
    [Theory]
    [InlineData("mlp", "all")]
    [InlineData("gpt", "sqrt")]
    [InlineData("mlp-dropout", "uniform:2")]
    public void MicroBatches_WithRecompute_GiveTheSameBits(string model, string strategy)
    {
        var plain = new Step(model, 4, 24, 3).Root([0, 4]);
        var again = new Step(model, 4, 24, 3, strategy).Root([0, 1, 2, 4]);
        Assert.Equal(Bits(plain.Gradient), Bits(again.Gradient));
        Assert.Equal(plain.Losses, again.Losses);
    }

    [Fact]
    public void MicroBatches_TakeTheMemoryOfOnePiece()
    {
        var graph = SmallModels.Build("gpt");
        using var whole = TrainProgram.Compile(graph, 64);
        using var piece = TrainProgram.Compile(graph, MicroBatches.RowsOf(16, 4));
        Assert.True(piece.MemoryBytes.Planned * 8 < whole.MemoryBytes.Planned);
    }

    private static int[] Bits(float[] values) => [.. values.Select(BitConverter.SingleToInt32Bits)];

    /// <summary>One step of a model, computed by workers that have the slices between the cuts.</summary>
    private sealed class Step(string model, int slices, int rows, int micro = 0, string recompute = "none")
    {
        private readonly int _sliceRows = (rows + slices - 1) / slices;

        public (float[] Gradient, double[] Losses) Root(int[] cuts, bool scattered = false)
        {
            var graph = SmallModels.Build(model);
            var nodes = new Dictionary<TreeNode, float[]>();
            var losses = new double[slices];
            long length = 0;
            for (var w = 0; w + 1 < cuts.Length; w++)
            {
                // A fresh program per worker, with its own memory.
                using var program =
                    TrainProgram.Compile(graph, micro > 0 ? MicroBatches.RowsOf(_sliceRows, micro) : rows,
                        new CompileOptions { Recompute = RecomputeSpec.Parse(recompute, out _) });
                length = program.Layout.TotalLength;
                RunShare(program, cuts[w], cuts[w + 1], nodes, losses, scattered);
            }

            var tree = new SliceTree(slices);
            return (Sum(tree.Root, nodes) ?? new float[length], losses);
        }

        private void RunShare(
            TrainProgram program, int from, int end, Dictionary<TreeNode, float[]> all, double[] losses, bool scattered)
        {
            var tree = new SliceTree(slices);
            var cover = tree.Cover(from, end);
            int[] perSlice = [.. Enumerable.Range(from, end - from).Select(RowsOf)];
            var share = new StepSlices(slices, from, perSlice, cover);
            var batch = program.CreateBatch(rows);
            SmallModels.Fill(batch, Math.Min(rows, from * _sliceRows), share.Rows, SmallModels.Classes(model));
            (program.Seed, batch.FirstPosition) = (17, Math.Min(rows, from * _sliceRows));
            var weights = new float[program.Layout.TotalLength];
            program.Initialize(3, weights);
            var length = weights.Length;
            var flat = new float[length * cover.Length];
            Memory<float>[] gradients = scattered
                ? [.. cover.Select(_ => new float[length].AsMemory())]
                : [.. cover.Select((_, i) => flat.AsMemory(i * length, length))];
            var shareLosses = losses.AsSpan(from, end - from);
            if (micro == 0) program.Run(batch, share, 1, weights, gradients, shareLosses, null);
            else new MicroBatches(program, program.RowsMax).Run(batch, share, 1, weights, gradients, shareLosses, null);
            for (var i = 0; i < cover.Length; i++)
                if (HasRows(cover[i])) all.Add(cover[i], gradients[i].ToArray());
        }

        private int RowsOf(int slice) => Math.Clamp(rows - (slice * _sliceRows), 0, _sliceRows);

        private bool HasRows(TreeNode node) => node.FirstLeaf * _sliceRows < rows;

        private static float[]? Sum(TreeNode node, Dictionary<TreeNode, float[]> nodes)
        {
            if (nodes.TryGetValue(node, out var known)) return known;
            if (node.Level == 0) return null;
            var (left, right) = (Sum(node.Left, nodes), Sum(node.Right, nodes));
            if (left is null || right is null) return left ?? right;
            return [.. left.Select((x, i) => x + right[i])];
        }
    }
}
