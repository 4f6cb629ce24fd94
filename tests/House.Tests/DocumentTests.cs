using System.Text.RegularExpressions;

namespace Convoy.House.Tests;

// Paths named in the documents exist, so the reading path stays alive.
public partial class DocumentTests
{
    [Theory]
    [InlineData("README.md")]
    [InlineData("ARCHITECTURE.md")]
    [InlineData("CONTRIBUTING.md")]
    public void PathsExist(string document)
    {
        foreach (Match match in PathPattern().Matches(Repository.Read(document)))
        {
            var path = match.Groups[1].Value;
            Assert.True(File.Exists(Repository.PathOf(path)) || Directory.Exists(Repository.PathOf(path)),
                $"{document} names {path}");
        }
    }

    [Fact]
    public void ReadmeLinksTheFourStops()
    {
        var readme = Repository.Read("README.md");
        foreach (var stop in (string[])["ARCHITECTURE.md", "src/Worker/Training/TrainStep.cs",
            "src/Worker/Training/StepProtocol.cs", "tests/Simulation.Tests/Scripts/one-step.txt"])
            Assert.True(readme.Contains(stop, StringComparison.Ordinal), $"README.md does not name {stop}");
    }

    [Fact]
    public void ReadmeBeginsWithTheTwoCommands()
    {
        var readme = Repository.Read("README.md");
        var train = readme.IndexOf("dotnet run -c Release --project src/Cli -- train examples/chars.yaml",
            StringComparison.Ordinal);
        var test = readme.IndexOf("dotnet test Cluster.sln -c Release", StringComparison.Ordinal);
        Assert.True(train > 0 && test > train && test < 2_000, "the two commands come first, in this order");
    }

    [GeneratedRegex("`((?:src|tests|docs|examples|deploy|load-tests)/[A-Za-z0-9_./-]*)`")]
    private static partial Regex PathPattern();
}
