using Convoy.Shared.Numerics;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Shared;
using Convoy.Shared.Random;

namespace Convoy.Autodiff.Models;

/// <summary>
/// Continues a text byte by byte with a model of the gpt family. The same weights, prompt, temperature and seed give
/// the same text.
/// </summary>
public static class TextSampler
{
    /// <summary>Writes on after a prompt.</summary>
    /// <param name="graph">A model of the gpt family.</param>
    /// <param name="weights">In the layout of its parameters.</param>
    /// <param name="prompt">Bytes of the text so far; none: it starts a line.</param>
    /// <param name="count">Bytes to write.</param>
    /// <param name="temperature">0: always the likeliest byte; 1: as the model says.</param>
    /// <returns>The bytes after the prompt.</returns>
    public static byte[] Generate(
        Graph graph, ReadOnlySpan<float> weights, ReadOnlySpan<byte> prompt, int count, double temperature, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(temperature);
        using var program = TrainProgram.Compile(graph, 1);
        var (context, vocabulary) = SizesOf(graph);
        var batch = program.CreateBatch(1);
        batch.Rows = 1;
        var logits = new float[context * vocabulary];
        var stream = new RandomStream(seed, RandomPurpose.TextSampling, 0);
        var text = new List<byte>(prompt.Length + count);
        // A model needs one token to start from: a line break, as at the start of a line.
        if (prompt.IsEmpty) text.Add((byte)'\n');
        foreach (var b in prompt) text.Add(b);
        var start = text.Count;

        for (var i = 0; i < count; i++)
        {
            var known = Math.Min(text.Count, context);
            var ids = batch.Ints("x");
            ids.Clear();
            for (var k = 0; k < known; k++) ids[k] = Math.Min((int)text[text.Count - known + k], vocabulary - 1);
            program.Logits(batch, weights, logits);
            var row = logits.AsSpan((known - 1) * vocabulary, vocabulary);
            text.Add((byte)Choose(row[..Math.Min(vocabulary, 256)], temperature, stream.UniformDouble(i)));
        }

        return [.. text.Skip(start)];
    }

    private static (int Context, int Vocabulary) SizesOf(Graph graph)
    {
        var logits = graph.Output("logits") is { } output ? graph.TypeOf(output) : null;
        if (logits is not { Rank: 3 })
            throw new UserException(ExitCode.BadJob, "text is sampled from a model of the gpt family only");
        return (logits[1].Size, logits[2].Size);
    }

    private static int Choose(ReadOnlySpan<float> logits, double temperature, double uniform)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best]) best = i;
        if (temperature == 0) return best;

        var total = 0.0;
        foreach (var logit in logits) total += PortableMath.Exp((logit - logits[best]) / temperature);
        var left = uniform * total;
        for (var i = 0; i < logits.Length; i++)
        {
            left -= PortableMath.Exp((logits[i] - logits[best]) / temperature);
            if (left < 0) return i;
        }

        return best;
    }
}
