using System.Diagnostics;
using System.Globalization;
using System.Text;
using Convoy.Cluster.Tests.Processes;

namespace Convoy.Cluster.Tests;

// MEM-04: `convoy graph --memory` beside the peak of a real worker process, for the three families of models, large
// enough that the runtime's own memory, which no size decides, is the smaller part.
public sealed class MemoryTests : IDisposable
{
    private const double Within = 0.05;
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-memory-").FullName;

    public static TheoryData<string, string> Jobs => new()
    {
        { "gpt", "{ family: gpt, vocabulary: 256, context: 128, width: 128, depth: 4, heads: 4 }" },
        { "mlp", "{ family: mlp, layers: [784, 1024, 1024, 10] }" },
        { "cnn", "{ family: cnn, image: [1, 28, 28], network: [conv32, pool, conv64, pool, 256, 10] }" },
    };

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task ThePeakOfAWorker_IsWhatWasPredicted(string family, string model)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux tells the peak of another process to everybody");
        File.WriteAllText(Path.Combine(_folder, "data.txt"), Text());
        if (family != "gpt") File.WriteAllText(Path.Combine(_folder, "data.csv"), Csv());
        File.WriteAllText(Path.Combine(_folder, "job.yaml"), $$"""
            job: memory-{{family}}
            model: {{model}}
            data: { format: {{(family == "gpt" ? "text, path: data.txt" : "csv, path: data.csv, label: last")}} }
            batch: {{(family == "cnn" ? 256 : 32)}}
            slices: 8
            steps: 1000000
            optimizer: { kind: adamw, lr: 0.0001 }
            checkpoint: { every: 20 }
            """);
        var predicted = await ConvoyProcess.RunAsync(
            _folder, "graph", "job.yaml", "--memory", "--workers", "1", "--threads", "1", "--json");
        Assert.True(predicted.Code == 0, predicted.ToString());
        var expected = predicted.Json.GetProperty("parts").EnumerateArray().Sum(p => p.GetProperty("bytes").GetInt64());

        var state = Path.Combine(_folder, "state");
        using var train = ConvoyProcess.Start(
            _folder, "train", "job.yaml", "--workers", "1", "--threads", "1", "--state", state, "--json");
        var status = await new RunningJob(state, train).AtStepAsync(25);      // one save, and its copy, behind it
        using var worker = Process.GetProcessById(status.Workers[0].Pid);
        var peak = worker.PeakWorkingSet64;

        Assert.True(Math.Abs(peak - expected) <= Within * expected,
            $"{family}: predicted {expected >> 20} MB, the worker's peak is {peak >> 20} MB");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Text()
    {
        var text = new StringBuilder();
        for (var i = 0; text.Length < 200_000; i++)
            text.Append(CultureInfo.InvariantCulture, $"{i} times {i % 7} is {i * (i % 7)}. ");
        return text.ToString();
    }

    private static string Csv()
    {
        var text = new StringBuilder();
        text.AppendJoin(',', Enumerable.Range(0, 784).Select(i => $"f{i}")).Append(",label\n");
        for (var row = 0; row < 512; row++)
        {
            for (var i = 0; i < 784; i++)
                text.Append(CultureInfo.InvariantCulture, $"{((row * 31) + (i * 17)) % 256 / 256.0},");
            text.Append(row % 10).Append('\n');
        }

        return text.ToString();
    }
}
