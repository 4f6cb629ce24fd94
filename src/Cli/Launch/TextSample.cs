using System.Text;
using Convoy.Autodiff.Models;

namespace Convoy.Cli.Launch;

/// <summary>
/// A few lines written by a trained text model, read back from its checkpoint: proof that the file is whole.
/// </summary>
internal static class TextSample
{
    private const int BytesToWrite = 240;
    private const double Temperature = 0.7;

    public static string? Of(PreparedJob job, string? checkpoint)
    {
        if (job.Job.Model.Family != "gpt" || checkpoint is null) return null;
        var weights = CheckpointWeights.Load(job.Graph, checkpoint);
        var prompt = "\n"u8.ToArray();
        var bytes = TextSampler.Generate(job.Graph, weights, prompt, BytesToWrite, Temperature, job.Job.Seed);
        return Printable(bytes);
    }

    // Bytes of a half-trained model are not always text: what is no character or no printable one becomes a dot.
    private static string Printable(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (var c in Encoding.UTF8.GetString(bytes).Replace("\r", "", StringComparison.Ordinal))
            text.Append(c is '\n' || !char.IsControl(c) && c != '\uFFFD' ? c : '.');
        return "  | " + text.ToString().Trim('\n').Replace("\n", "\n  | ", StringComparison.Ordinal);
    }
}
