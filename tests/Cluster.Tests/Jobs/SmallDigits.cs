using System.Globalization;
using System.Text;

namespace Convoy.Cluster.Tests.Jobs;

/// <summary>
/// A data set and job that the tests make themselves: seeded blobs of 16 numbers in 4 classes. A run takes a few
/// seconds; what must be struck while it runs is an <see cref="EndlessJob"/>.
/// </summary>
internal static class SmallDigits
{
    public const int Steps = 600;

    public static void Write(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "train.csv"), Csv(1_001, seed: 1));
        File.WriteAllText(Path.Combine(folder, "test.csv"), Csv(200, seed: 2));
        File.WriteAllText(Path.Combine(folder, "job.yaml"), Job);
    }

    // 1,001 rows and a batch of 64: the last batch of an epoch is short, which must not change any bits either.
    private static readonly string Job = $$"""
        job: small
        seed: 11
        model: { family: mlp, layers: [16, 256, 256, 4], activation: relu }
        data: { format: csv, path: train.csv, test_path: test.csv, label: last }
        batch: 64
        slices: 8
        steps: {{Steps}}
        optimizer: { kind: adamw, lr: 0.002, weight_decay: 0.01, schedule: { kind: cosine, warmup: 20 } }
        clip: { global_norm: 1.0 }
        checkpoint: { every: 100, keep: 3 }
        elastic: { min: 1, max: 8 }
        """;

    private static string Csv(int rows, uint seed)
    {
        var text = new StringBuilder();
        text.AppendJoin(',', Enumerable.Range(0, 16).Select(i => $"f{i}")).Append(",label\n");
        for (var row = 0; row < rows; row++)
        {
            var label = row % 4;
            for (var i = 0; i < 16; i++)
            {
                seed = seed * 1_664_525 + 1_013_904_223;
                var noise = (seed >> 8) / (double)(1 << 24) - 0.5;
                var value = (i % 4 == label ? 0.6 : 0.0) + noise;
                text.Append(value.ToString("0.####", CultureInfo.InvariantCulture)).Append(',');
            }
            text.Append(label).Append('\n');
        }
        return text.ToString();
    }
}
