using System.Buffers.Binary;
using System.Text;

namespace Convoy.Cli.Tests;

// Malformed jobs and data: each one line, its own exit code, and nothing half-written: not even a state folder.
public sealed class BadInputTests : IDisposable
{
    private const string GoodJob = """
        job: bad-input
        model: { family: mlp, layers: [2, 4, 2] }
        data: { format: csv, path: data.csv }
        batch: 4
        slices: 2
        steps: 10
        """;

    private const string GoodCsv = "a,b,label\n0,1,0\n1,0,1\n0,0,0\n1,1,1\n";

    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-bad-").FullName;

    public static TheoryData<string, string, string, string> Jobs => new()
    {
        { "unknown key", "batch: 4", "bacth: 4", "batch" },
        { "unknown nested key", "family: mlp", "famly: mlp", "family" },
        { "wrong type", "batch: 4", "batch: many", ":4:8" },
        { "impossible value", "batch: 4", "batch: 0", "batch" },
        { "more slices than the batch", "slices: 2", "slices: 8", "slices" },
        { "both lengths", "steps: 10", "steps: 10\nepochs: 2", "epochs" },
        { "no length", "steps: 10", "seed: 1", "steps" },
        { "not there yet", "steps: 10", "steps: 10\nparallel: { tensor: 2 }", "tensor" },
        { "not YAML", "batch: 4", "batch: [4", ":" },
        { "key given twice", "batch: 4", "batch: 4\nbatch: 8", "batch" },
        { "key of another family", "family: mlp,", "family: mlp, heads: 4,", "heads" },
    };

    [Theory]
    [MemberData(nameof(Jobs))]
    public async Task MalformedJob(string what, string good, string bad, string says)
    {
        Assert.NotEmpty(what);
        Write("data.csv", GoodCsv);
        await RefusedAsync(GoodJob.Replace(good, bad, StringComparison.Ordinal), code: 3, says);
    }

    public static TheoryData<string, string, string> Csvs => new()
    {
        { "ragged row", "a,b,label\n0,1,0\n1,1\n", "data.csv:3" },
        { "not a number", "a,b,label\n0,1,0\n0,x,1\n", "data.csv:3" },
        { "NaN", "a,b,label\n0,NaN,0\n", "data.csv:2" },
        { "label out of range", "a,b,label\n0,1,7\n", "data.csv:2" },
        { "label not whole", "a,b,label\n0,1,0.5\n", "data.csv:2" },
        { "empty file", "", "data.csv" },
        { "header only", "a,b,label\n", "data.csv" },
    };

    [Theory]
    [MemberData(nameof(Csvs))]
    public async Task MalformedCsv(string what, string csv, string says)
    {
        Assert.NotEmpty(what);
        Write("data.csv", csv);
        await RefusedAsync(GoodJob, code: 4, says);
    }

    [Fact]
    public Task MissingData() => RefusedAsync(GoodJob, code: 4, "data.csv");

    [Fact]
    public async Task ModelThatDoesNotFitItsData()
    {
        Write("data.csv", GoodCsv);
        await RefusedAsync(GoodJob.Replace("[2, 4, 2]", "[3, 4, 2]", StringComparison.Ordinal), code: 3, "3");
    }

    [Theory]
    [InlineData(0, "magic")]
    [InlineData(10, "truncated")]
    public async Task MalformedIdx(int keep, string what)
    {
        Assert.NotEmpty(what);
        // Four images of 1x2; the second case ends inside them, the first has nothing but a wrong number in front.
        var images = new byte[16 + 8];
        BinaryPrimitives.WriteInt32BigEndian(images, 0x803);
        foreach (var (at, value) in ((int, int)[])[(4, 4), (8, 1), (12, 2)])
            BinaryPrimitives.WriteInt32BigEndian(images.AsSpan(at), value);
        File.WriteAllBytes(PathOf("images"), keep == 0 ? [1, 2, 3, 4, 5, 6, 7, 8] : images[..^keep]);
        var labels = new byte[8 + 4];
        BinaryPrimitives.WriteInt32BigEndian(labels, 0x801);
        BinaryPrimitives.WriteInt32BigEndian(labels.AsSpan(4), 4);
        File.WriteAllBytes(PathOf("labels"), labels);

        await RefusedAsync(GoodJob.Replace("format: csv, path: data.csv", "format: idx, path: images, labels: labels",
            StringComparison.Ordinal), code: 4, "images");
    }

    [Fact]
    public async Task NoSuchJob()
    {
        var run = await CliRun.Of("train", PathOf("nothing.yaml"));
        run.IsOneLine(3);
    }

    [Fact]
    public async Task WithJsonTheErrorIsTheLastLine()
    {
        Write("job.yaml", "job: [");
        var run = await CliRun.Of("train", PathOf("job.yaml"), "--json");
        run.IsOneLine(3);
        Assert.Equal(3, run.Json.GetProperty("exit_code").GetInt32());
    }

    private async Task RefusedAsync(string job, int code, string says)
    {
        Write("job.yaml", job);
        var state = PathOf("state");

        var run = await CliRun.Of("train", PathOf("job.yaml"), "--state", state);

        run.IsOneLine(code);
        Assert.Contains(says, run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Out);
        Assert.False(Directory.Exists(state), "nothing half-written");
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private void Write(string name, string text) => File.WriteAllText(PathOf(name), text, new UTF8Encoding(false));

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
