using Convoy.Shared.Jobs;
using Convoy.Worker.Data;

namespace Convoy.Worker.Tests.Data;

// EXE-05: CSV is read row by row, whatever is wrong with it.
public sealed class CsvTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private JobSpec Job(string csv, string label = "last", double scale = 1)
    {
        _folder.Write("a.csv", csv);
        var job = _folder.Job("csv", ["a.csv"]);
        return job with { Data = job.Data with { Label = label, Scale = scale } };
    }

    [Theory]
    [InlineData("a,b,c\n1,2,0\n3,4,1\n", "last")]
    [InlineData("a,b,c\r\n1,2,0\r\n3,4,1", "last")]
    [InlineData("a,b,c\r1,2,0\r3,4,1\r", "last")]
    [InlineData("\ufeffa,b,c\n1,2,0\n3,4,1\n\n\n", "c")]
    [InlineData("c,a,b\n0,1,2\n1,3,4\n", "first")]
    [InlineData("a,c,b\n1,0,2\n3,1.0,4\n", "c")]
    [InlineData("\"a\",\"say \"\"c\"\"\",\"line\nbreak\"\n\"1\",\"0\" ,2\n 3 ,1,4e0\n", "say \"c\"")]
    public void Samples_are_read_whatever_the_line_ends_quotes_and_label(string csv, string label)
    {
        using var pair = Dataset.Open(Job(csv, label));
        Assert.Null(pair.Test);
        Assert.Equal(2, pair.Train.Count);
        Assert.Equal([2], pair.Train.Info.SampleShape);
        var (x, y) = DataFolder.ReadAll(pair.Train);
        Assert.Equal([1, 2, 3, 4], x);
        Assert.Equal([0, 1], y);
    }

    [Fact]
    public void Memory_and_cache_give_the_same_samples_and_the_same_hash()
    {
        var job = Job("a,b,c\n1,2,0\n16,4,1\n", scale: 0.0625);
        using var memory = Dataset.Open(job);
        using var cached = Dataset.Open(job, _folder.Cache);
        using var again = Dataset.Open(job, _folder.Cache);
        Assert.Equal([0.0625f, 0.125f, 1, 0.25f], DataFolder.ReadAll(cached.Train).X);
        Assert.Equal(DataFolder.ReadAll(memory.Train).X, DataFolder.ReadAll(again.Train).X);
        Assert.Equal(memory.Sha256, cached.Sha256);
        Assert.Single(Directory.GetFiles(_folder.PathOf(".cache")));
        using var other = Dataset.Open(Job("a,b,c\n1,2,0\n16,4,2\n", scale: 0.0625), _folder.Cache);
        Assert.NotEqual(memory.Sha256, other.Sha256);
    }

    [Fact]
    public void Several_files_of_one_kind_are_one_set()
    {
        _folder.Write("b.csv", "a,b,c\n5,6,2\n");
        _folder.Write("other.csv", "a,x,c\n5,6,2\n");
        var job = Job("a,b,c\n1,2,0\n");
        using var pair = Dataset.Open(
            job with { Data = job.Data with { Path = [_folder.PathOf("a.csv"), _folder.PathOf("b.csv")] } });
        Assert.Equal([1, 2, 5, 6], DataFolder.ReadAll(pair.Train).X);
        Assert.StartsWith("other.csv:1: the columns differ", _folder.Refusal(
            job with { Data = job.Data with { Path = [_folder.PathOf("a.csv"), _folder.PathOf("other.csv")] } }),
                StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "a.csv: the file is empty; check where it comes from")]
    [InlineData("\n", "a.csv:1: the first line is empty; it must name the columns")]
    [InlineData("a,b,c\n", "a.csv:2: there is no row after the header; the set is empty")]
    [InlineData("1,2,0\n3,4,1\n",
        "a.csv:1: there is no header (only numbers); put a line with the names of the columns first")]
    [InlineData("a;b;c\n1;2;0\n",
        "a.csv:1: there is one column; a sample needs features and a label, separated by commas")]
    [InlineData("a,b,c\n1,2,0\n1,2\n", "a.csv:3: 2 fields, the header has 3; the row is ragged")]
    [InlineData("a,b,c\n1,2,0,9\n", "a.csv:2: 4 fields, the header has 3; the row is ragged")]
    [InlineData("a,b,c\n1,2,0\n\n1,2,0\n", "a.csv:3: the line is empty; remove it")]
    [InlineData("a,b,c\n1,NaN,0\n", "a.csv:2: column 'b': 'NaN' is not a finite number; mend or remove the row")]
    [InlineData("a,b,c\n1,Infinity,0\n",
        "a.csv:2: column 'b': 'Infinity' is not a finite number; mend or remove the row")]
    [InlineData("a,b,c\n1,1e39,0\n", "a.csv:2: column 'b': '1e39' is not a finite number; mend or remove the row")]
    [InlineData("a,b,c\n1,,0\n", "a.csv:2: column 'b': '' is not a number")]
    [InlineData("a,b,c\n1,x2,0\n", "a.csv:2: column 'b': 'x2' is not a number")]
    [InlineData("a,b,c\n\"1\n\",x2,0\n", "a.csv:2: column 'b': 'x2' is not a number")]
    [InlineData("a,b,c\n1,2,3\n", "a.csv:2: label '3' (column 'c') is outside 0 to 2; the model has 3 classes")]
    [InlineData("a,b,c\n1,2,-1\n", "a.csv:2: label '-1' (column 'c') is outside 0 to 2; the model has 3 classes")]
    [InlineData("a,b,c\n1,2,0.5\n", "a.csv:2: label '0.5' (column 'c') is not a whole number")]
    [InlineData("a,b,c\n1,2,NaN\n", "a.csv:2: label 'NaN' (column 'c') is not a whole number")]
    [InlineData("a,b,c\n1,2,cat\n", "a.csv:2: label 'cat' (column 'c') is not a whole number")]
    [InlineData("a,b,c\n1,\"2,0\n", "a.csv:2: a quote is opened and never closed")]
    [InlineData("a,b,c\n1,\"2\"3,0\n",
        "a.csv:2: text follows a closing quote; put a comma between, or double the quote")]
    public void A_wrong_file_is_refused_by_its_line(string csv, string message) =>
        Assert.Equal(message, _folder.Refusal(Job(csv)));

    [Fact]
    public void A_label_column_that_is_not_there_names_the_nearest() =>
        Assert.Equal("a.csv:1: there is no column 'clas' (did you mean class?); data.label is first, last or a name "
            + "of the header",
            _folder.Refusal(Job("a,b,class\n1,2,0\n", "clas")));

    [Fact]
    public void A_file_that_is_not_there_is_refused()
    {
        Assert.Equal("no.csv: there is no such file; check the path in the job, or get it with 'convoy data get'",
            _folder.Refusal(_folder.Job("csv", ["no.csv"])));
        _folder.Write("folder/x", "x");
        Assert.Equal("folder: it is a folder; name a file (only text takes folders)",
            _folder.Refusal(_folder.Job("csv", ["folder"])));
    }

    [Fact]
    public void Any_bytes_give_samples_or_one_line()
    {
        var random = new Shared.Random.RandomStream(3, Shared.Random.RandomPurpose.Mask, 0);
        const string Letters = "01.,,\n\n\"\r ax-e\0\u00ff";
        for (var round = 0; round < 300; round++)
        {
            var text = string.Concat(
                Enumerable.Range(0, 40).Select(
                i => Letters[(int)(random.Word((round * 40) + i) % (uint)Letters.Length)]));
            try
            {
                Dataset.Open(Job("a,b\n" + text)).Dispose();
            }
            catch (Shared.UserException)
            {
                // Refused: that is the other good end.
            }
        }
    }
}
