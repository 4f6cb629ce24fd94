using Convoy.Cli.Launch;
using Convoy.Shared;

namespace Convoy.Cli.Tests.Launch;

public sealed class StateFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-state-").FullName;

    [Fact]
    public void OldRunWithoutResumeIsRefused()
    {
        using (var first = StateFolder.Open(_folder, "j", resume: false)) first.WriteRun("j");

        var refused = Assert.Throws<UserException>(() => StateFolder.Open(_folder, "j", resume: false));

        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("--resume", refused.Message, StringComparison.Ordinal);
        using var resumed = StateFolder.Open(_folder, "j", resume: true);
        Assert.Equal(_folder, resumed.Root);
    }

    [Fact]
    public void ResumeNeedsARun()
    {
        var refused = Assert.Throws<UserException>(() => StateFolder.Open(_folder, "j", resume: true));
        Assert.Contains("nothing to resume", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void FolderInUseIsRefused(bool runs, bool resume)
    {
        using var first = StateFolder.Open(_folder, "j", resume: false);
        if (runs) first.WriteRun("j");

        var refused = Assert.Throws<UserException>(() => StateFolder.Open(_folder, "j", resume));

        Assert.Equal(ExitCode.Cluster, refused.Code);
        Assert.Contains("in use", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
