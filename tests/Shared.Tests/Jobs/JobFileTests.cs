using Convoy.Shared.Jobs;

namespace Convoy.Shared.Tests.Jobs;

public sealed class JobFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-jobs-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }

    private string Write(string name, string content) => Write(name, System.Text.Encoding.UTF8.GetBytes(content));

    private const string Job = "model: { family: mlp, layers: [4, 2] }\ndata: { format: csv, path: a.csv }\nsteps: 1\n";

    [Fact]
    public void A_data_path_is_looked_up_beside_the_job_and_then_where_convoy_runs()
    {
        var job = Write("jobs/j.yaml", Job);
        Assert.Equal(Path.Combine(_folder, "a.csv"), JobReader.ReadFile(job, [], _folder).Data.Path[0]);
        Write("a.csv", "x");
        Assert.Equal(Path.Combine(_folder, "a.csv"), JobReader.ReadFile(job, [], _folder).Data.Path[0]);
        Write("jobs/a.csv", "x");
        Assert.Equal(Path.Combine(_folder, "jobs/a.csv"), JobReader.ReadFile("jobs/j.yaml", [], _folder).Data.Path[0]);
    }

    [Fact]
    public void A_file_that_is_not_there_or_not_text_is_refused()
    {
        Assert.Equal("nope.yaml: there is no such job file; check the path", Refusal("nope.yaml"));
        Assert.Contains("not UTF-8", Refusal(Write("bad.yaml", [0x6a, 0xff, 0xfe])), StringComparison.Ordinal);
        Assert.Contains("at most 1048576", Refusal(Write("big.yaml", new byte[(1 << 20) + 1])),
            StringComparison.Ordinal);
        Assert.Contains("cannot be read", Refusal(_folder), StringComparison.Ordinal);
        Assert.Contains("not YAML", Refusal(Write("zero.yaml", new byte[64])), StringComparison.Ordinal);
    }

    private string Refusal(string path)
    {
        var e = Assert.Throws<UserException>(() => JobReader.ReadFile(path, [], _folder));
        Assert.Equal(ExitCode.BadJob, e.Code);
        return e.Message;
    }

    [Theory]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"job\":1}")]
    [InlineData("{\"jobb\":\"a\"}")]
    [InlineData("{\"job\":\"a\",\"job\":\"a\"}")]
    [InlineData("{\"data\":{\"path\":[null]}}")]
    [InlineData("{\"optimizer\":null}")]
    [InlineData("not json")]
    public void Json_that_is_not_a_job_is_refused(string json) =>
        Assert.Throws<UserException>(() => JobJson.Read(System.Text.Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Odd_names_survive_the_printed_job()
    {
        foreach (var path in new[] { "/a b.csv", "/ä\"\\.csv", "/x: y # z.csv", "/{}.csv", "/'.csv", "/tab\t.csv",
            "/- a" })
        {
            var job = JobReader.ReadText(Job, "j", "/", [],
                "/") with
            { Data = new DataSpec { Path = [path], Label = "no" } };
            var again = JobReader.ReadText(JobPrinter.ToYaml(job), "j", "/", [], "/");
            Assert.Equal(path, again.Data.Path[0]);
            Assert.Equal("no", again.Data.Label);
        }
    }

    [Fact]
    public void The_page_of_keys_names_every_key_once()
    {
        var page = JobSchema.ToMarkdown();
        var text = JobSchema.ToText();
        foreach (var key in JobSchema.Keys)
        {
            Assert.Equal(2, page.Split($"| `{key.Path}` |").Length);
            Assert.Contains($"{key.Path}\n", text, StringComparison.Ordinal);
            Assert.NotEmpty(key.Doc);
        }
    }

    [Fact]
    public void The_page_in_docs_is_the_page_of_the_table()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "Cluster.sln"))) root = root.Parent!;
        var path = Path.Combine(root.FullName, "docs", "job-file.md");
        if (Environment.GetEnvironmentVariable("CONVOY_REWRITE") == "1")
            File.WriteAllText(path, JobSchema.ToMarkdown());
        Assert.Equal(JobSchema.ToMarkdown(), File.ReadAllText(path));
    }

    [Theory]
    [InlineData("lyaers", "layers", 1)]
    [InlineData("", "abc", 3)]
    [InlineData("kitten", "sitting", 3)]
    public void Distance_counts_edits(string a, string b, int distance) =>
        Assert.Equal(distance, NearestWord.Distance(a, b));
}
