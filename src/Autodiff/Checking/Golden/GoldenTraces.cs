using System.Text.Json;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>
/// Whole trainings in float64, by one worker that has the batch whole, and by three that have shares of its slices,
/// exchange one sum per node that covers a share, and add these up the slice tree (decision 4).
/// </summary>
internal static class GoldenTraces
{
    private const int SlicesMax = 8;

    public static GoldenCase? Run(GoldenComparison comparison, JsonElement json)
    {
        if (GoldenTraining.Stranger(json.GetProperty("hyper")) is { } setting)
            return comparison.Unknown($"{setting} is unknown");
        if (GoldenModel.Read(json.GetProperty("layers").GetString()!, out var layer) is null)
            return comparison.Unknown($"{layer} is unknown");
        foreach (var workers in new[] { 1, 3 })
        {
            if (Train(json, workers) is not { } training) return null;
            var who = workers == 1 ? "" : $"{workers} workers: ";
            comparison.Numbers(GoldenJson.Numbers(json.GetProperty("losses")), training.Losses, $"{who}loss");
            var final = json.GetProperty("final");
            foreach (var parameters in training.Parameters)
                for (var i = 0; i < parameters.Length; i++)
                    comparison.Tensor(final[i], parameters[i], $"{who}final parameter {i}");
        }

        return comparison.Finish();
    }

    /// <summary>The losses of all steps and what each worker ends with, or null when a name is unknown.</summary>
    public static GoldenCourse? Train(JsonElement json, int workers)
    {
        if (GoldenModel.Read(json.GetProperty("layers").GetString()!, out _) is not { } model) return null;
        if (GoldenUpdate.Of(json.GetProperty("optimizer").GetString()!.ToLowerInvariant(),
            json.GetProperty("hyper")) is not { } update) return null;
        var rows = GoldenJson.TensorOf(json.GetProperty("x")).Shape[0];
        var tree = new SliceTree(workers == 1 ? 1 : Math.Clamp(rows, 1, SlicesMax));
        Worker[] all = [.. Enumerable.Range(0, workers).Select(_ => new Worker(json, model, update, tree.Leaves))];
        var losses = new double[json.GetProperty("losses").GetArrayLength()];
        for (var t = 1; t <= losses.Length; t++)
        {
            var sums = new Dictionary<TreeNode, Part>();
            for (var w = 0; w < workers; w++)
                foreach (var node in tree.Cover(w * tree.Leaves / workers, (w + 1) * tree.Leaves / workers))
                    sums.Add(node, Sum(tree, node, n => n.Level == 0 ? all[w].Slice(n.Index) : null)!);
            var root = Sum(tree, tree.Root, sums.GetValueOrDefault)!;
            losses[t - 1] = root.Loss;
            foreach (var worker in all) worker.Update(root, t);
        }

        return new GoldenCourse(losses, [.. all.Select(w => w.Parameters)]);
    }

    private static Part? Sum(SliceTree tree, TreeNode node, Func<TreeNode, Part?> known)
    {
        if (node.FirstLeaf >= tree.Leaves) return null;
        if (known(node) is { } part) return part;
        Invariant.Check(node.Level > 0, "TREE-1 the shares are all slices");
        var (left, right) = (Sum(tree, node.Left, known), Sum(tree, node.Right, known));
        return left is null || right is null ? left ?? right : left.Plus(right);
    }

    /// <summary>What slices add to the loss and to the gradient of each parameter.</summary>
    private sealed record Part(double Loss, double[][] Gradients)
    {
        public Part Plus(Part other) => new(
            Loss + other.Loss,
            [.. Gradients.Zip(other.Gradients, (a, b) => a.Zip(b, (x, y) => x + y).ToArray())]);
    }

    /// <summary>A replica: parameters and the state of the optimizer, of its own.</summary>
    private sealed class Worker(JsonElement json, GoldenModel model, GoldenUpdate update, int slices)
    {
        private readonly Variable[] _p =
            [.. json.GetProperty("params").EnumerateArray().Select(v => GoldenJson.VariableOf(v))];
        private readonly Tensor _x = GoldenJson.TensorOf(json.GetProperty("x"));
        private readonly Tensor _y = GoldenJson.TensorOf(json.GetProperty("y"));
        private Memory<double>[][]? _states;

        public Tensor[] Parameters => [.. _p.Select(v => v.Data)];

        public Part Slice(int slice)
        {
            var rows = _x.Shape[0];
            var (from, end) = (slice * rows / slices, (slice + 1) * rows / slices);
            // The mean over the batch is the sum of the slices' means, each by its part of the rows.
            var mean = model.Loss(Rows(_x, from, end), Rows(_y, from, end), _p);
            var loss = (Variable)(mean * ((double)(end - from) / rows));
            loss.Backward();
            var part = new Part(loss.Data.At(), [.. _p.Select(v => v.Gradient!.ToArray<double>())]);
            foreach (var v in _p) v.ClearGradient();
            return part;
        }

        public void Update(Part sum, int step)
        {
            _states ??= [.. _p.Select(v => update.StateOf((int)v.Data.Count))];
            for (var i = 0; i < _p.Length; i++)
            {
                ParameterSpan[] whole = [new ParameterSpan(0, (int)_p[i].Data.Count)];
                update.Rule.Apply<double>(
                    _p[i].Data.Writable<double>(), sum.Gradients[i], _states[i], update.Step(step), whole);
            }
        }

        private static Variable Rows(Tensor x, int from, int end)
        {
            var specs = new SliceSpec[x.Rank];
            Array.Fill(specs, SliceSpec.All);
            specs[0] = SliceSpec.Range(from, end);
            return new Variable(x.Slice(specs));
        }
    }
}

/// <summary>A training: its losses, and the parameters each worker ends with.</summary>
internal sealed record GoldenCourse(double[] Losses, Tensor[][] Parameters);
