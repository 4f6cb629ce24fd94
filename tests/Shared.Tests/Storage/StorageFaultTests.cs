using Convoy.Shared.Diagnostics;
using Convoy.Shared.Storage;

namespace Convoy.Shared.Tests.Storage;

// R11: what keeps a file from being used is one line that names it.
public sealed class StorageFaultTests
{
    private const string FullDevice = "/dev/full"; // Linux: takes nothing, as a full disk

    [Fact]
    public void A_full_disk_is_named_with_what_is_free()
    {
        Assert.SkipUnless(File.Exists(FullDevice), "this system has no device that is always full");
        var path = Path.Combine(Path.GetTempPath(), "no-such-folder", "file");
        var e = Assert.Throws<IOException>(() =>
        {
            using var file = new FileStream(FullDevice, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            file.Write("x"u8);
        });
        Assert.True(StorageFault.IsFull(e));
        Assert.False(StorageFault.IsHeld(e));
        var refusal = StorageFault.Of(path, e);
        Assert.Equal(ExitCode.Storage, refusal.Code);
        Assert.Matches(@"file: the disk is full \([0-9]+ (bytes|KB|MB|GB) free\); make room, then go on with --resume$",
            refusal.Message);
        Assert.Matches(@"free, 2000 KB needed\); make room$", StorageFault.FullText(path, 2_000_000));
    }

    [Fact]
    public void A_log_that_cannot_be_written_stops_nobody()
    {
        Assert.SkipUnless(File.Exists(FullDevice), "this system has no device that is always full");
        using (var log = new RollingFileLog(FullDevice, TimeProvider.System))
        {
            for (var i = 0; i < 3; i++) log.Write(LogLevel.Info, "test", new string('x', 3_000));
            Assert.Equal(3, log.Lost);
        }

        var file = Path.GetTempFileName();
        using (var log = new RollingFileLog(Path.Combine(file, "folder", "x.log"), TimeProvider.System))
        {
            log.Write(LogLevel.Info, "test", "a file is where the folder should be");
            Assert.Equal(1, log.Lost);
            File.Delete(file);
            log.Write(LogLevel.Info, "test", "now there is room");
            Assert.Equal(1, log.Lost);
        }

        Directory.Delete(file, recursive: true);
    }

    [Fact]
    public void A_file_that_another_process_holds_is_told_from_one_that_cannot_be_used()
    {
        var path = Path.GetTempFileName();
        using (new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            var e = Assert.ThrowsAny<IOException>(
                () => new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None));
            Assert.True(StorageFault.IsHeld(e));
        }

        File.Delete(path);
        var gone = Assert.ThrowsAny<IOException>(() => File.OpenRead(path));
        Assert.False(StorageFault.IsHeld(gone));
        Assert.Contains("it is not there", StorageFault.Text(path, gone), StringComparison.Ordinal);
        Assert.Contains("may not write", StorageFault.Text(path, new UnauthorizedAccessException()),
            StringComparison.Ordinal);
        Assert.Contains("the disk is read-only", StorageFault.Text(path, new IOException("x", 30)),
            StringComparison.Ordinal);
    }
}
