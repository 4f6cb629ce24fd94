using Convoy.Shared.Jobs;
using Convoy.Worker.Data;

namespace Convoy.Worker.Tests.Data;

public sealed class TextAndSplitTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static string[] Windows(IDataset set)
    {
        var length = set.Info.Length;
        var samples = Enumerable.Range(0, (int)set.Count).Select(i => (long)i).ToArray();
        var (x, y) = (new int[samples.Length * length], new int[samples.Length * length]);
        set.ReadTokens(samples, x, y);
        return [.. samples.Select(s => $"{Show(x, (int)s)}>{Show(y, (int)s)}")];
        string Show(int[] tokens, int row) =>
            string.Concat(tokens.AsSpan(row * length, length).ToArray().Select(t => (char)t));
    }

    [Fact]
    public void Windows_share_one_byte_and_go_across_files()
    {
        _folder.Write("b.txt", "abcde");
        _folder.Write("a.txt", "fghij");
        using var pair = Dataset.Open(_folder.Text(3, "b.txt", "a.txt"));
        Assert.Equal(["abc>bcd", "def>efg", "ghi>hij"], Windows(pair.Train));
        Assert.True(pair.Train.Info.IsTokens);
        Assert.Equal(256, pair.Train.Info.Classes);
        using var cached = Dataset.Open(_folder.Text(3, "b.txt", "a.txt"), _folder.Cache);
        Assert.Equal(pair.Sha256, cached.Sha256);
        using var single = Dataset.Open(_folder.Text(2, "b.txt"));
        Assert.Equal(["ab>bc", "cd>de"], Windows(single.Train));
    }

    [Fact]
    public void Folders_and_patterns_leave_out_what_is_no_text_and_have_a_fixed_order()
    {
        foreach (var name in new[] { "d/b.md", "d/a/z.md", "d/a.md", "d/.git/x", "d/bin/x.md", "d/obj/x.md", "d/c.cs" })
            _folder.Write(name, name);
        _folder.Write("d/binary", [1, 0, 2]);
        _folder.Write("d/empty", "");
        string[] Names(params string[] paths) =>
            [.. TextFiles.Find([.. paths.Select(_folder.PathOf)]).Select(
                f => Path.GetRelativePath(_folder.PathOf("d"), f).Replace('\\', '/'))];
        Assert.Equal(["a.md", "a/z.md", "b.md", "c.cs"], Names("d"));
        Assert.Equal(["a.md", "b.md"], Names("d/*.md"));
        Assert.Equal(["a.md", "a/z.md", "b.md"], Names("d/**/*.md"));
        Assert.Equal(["c.cs", "a.md", "a/z.md", "b.md"], Names("d/c.cs", "d", "d/*.md"));
        Assert.Equal(["a.md", "b.md"], Names("d/?.md"));
        Assert.Contains("no text file is found there", _folder.Refusal(_folder.Text(2, "d/*.xx")),
            StringComparison.Ordinal);
        Assert.Contains("no text file is found there", _folder.Refusal(_folder.Text(2, "none/*.xx")),
            StringComparison.Ordinal);
        Directory.CreateDirectory(_folder.PathOf("hollow"));
        Assert.Contains("no text file is found there", _folder.Refusal(_folder.Text(2, "hollow")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a/b/c", "**", true)]
    [InlineData("a/b/c", "**/c", true)]
    [InlineData("c", "**/c", true)]
    [InlineData("a/b/c", "*/c", false)]
    [InlineData("a/b/c", "a/**/b/**/c", true)]
    [InlineData("a/b/c", "a/b", false)]
    public void Patterns_match_part_by_part(string path, string pattern, bool matches) =>
        Assert.Equal(matches, TextFiles.Matches(path.Split('/'), pattern.Split('/')));

    [Fact]
    public void Wrong_text_is_refused()
    {
        _folder.Write("a.txt", "abc");
        _folder.Write("b.txt", "de\u00e9");
        Assert.Equal("a.txt: 3 bytes of text make no sample; one takes 4 (model.context + 1)",
            _folder.Refusal(_folder.Text(3, "a.txt")));
        Assert.StartsWith("none.txt: there is no such file", _folder.Refusal(_folder.Text(3, "none.txt")),
            StringComparison.Ordinal);
        var job = _folder.Text(3, "a.txt", "b.txt");
        Assert.Equal("b.txt: byte 2: byte value 195 is outside the vocabulary of 128; set model.vocabulary: 256",
            _folder.Refusal(job with { Model = job.Model with { Vocabulary = 128 } }));
        _folder.Write("e.txt", "");
        Assert.StartsWith("e.txt: the file is empty", _folder.Refusal(_folder.Text(3, "e.txt")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_split_deals_every_sample_to_one_set_by_the_seed()
    {
        _folder.Write("a.csv", "f,c\n" + string.Concat(Enumerable.Range(0, 50).Select(i => $"{i},0\n")));
        var job = _folder.Job("csv", ["a.csv"]);
        job = job with { Data = job.Data with { TestSplit = 0.2 } };
        float[] first;
        using (var pair = Dataset.Open(job))
        {
            Assert.Equal((40, 10), (pair.Train.Count, pair.Test!.Count));
            first = DataFolder.ReadAll(pair.Test).X;
            Assert.Equal(Enumerable.Range(0, 50),
                DataFolder.ReadAll(pair.Train).X.Concat(first).Select(f => (int)f).Order());
        }

        using (var same = Dataset.Open(job)) Assert.Equal(first, DataFolder.ReadAll(same.Test!).X);
        using (var other = Dataset.Open(job with { Seed = 99 })) Assert.NotEqual(first,
            DataFolder.ReadAll(other.Test!).X);
        Assert.Contains("leaves one of the two sets empty",
            _folder.Refusal(job with { Data = job.Data with { TestSplit = 0.001 } }), StringComparison.Ordinal);
    }

    [Fact]
    public void A_probe_tells_counts_and_shape()
    {
        _folder.Write("a.csv", "f,g,c\n1,2,0\n3,4,1\n");
        _folder.Write("t.csv", "f,g,c\n1,2,0\n");
        var job = _folder.Job("csv", ["a.csv"]);
        var probe = Dataset.Probe(job with { Data = job.Data with { TestPath = [_folder.PathOf("t.csv")] } });
        Assert.Equal((2, 1, 3), (probe.Samples, probe.TestSamples, probe.Info.Classes));
        _folder.Write("t.csv", "f,c\n1,0\n");
        Assert.Contains("t.csv: its samples are [1], those of the training set are [2]",
            _folder.Refusal(job with { Data = job.Data with { TestPath = [_folder.PathOf("t.csv")] } }),
                StringComparison.Ordinal);
    }

    [Fact]
    public void A_cache_clears_the_parts_of_killed_makers()
    {
        _folder.Write("a.csv", "f,c\n1,0\n");
        Directory.CreateDirectory(_folder.PathOf(".cache"));
        File.WriteAllText(_folder.PathOf(".cache/dead.bin.1.part"), "x");
        Dataset.Open(_folder.Job("csv", ["a.csv"]), _folder.Cache).Dispose();
        Assert.EndsWith(".bin", Assert.Single(Directory.GetFiles(_folder.PathOf(".cache"))), StringComparison.Ordinal);
    }
}
