using Convoy.Coordinator.Recovery;

namespace Convoy.Coordinator.Tests.Recovery;

// FT-05: a process is ended for a lock that it has, never for one of somebody else.
public sealed class JournalWriterTests
{
    private static readonly string[] Locks =
    [
        "1: FLOCK  ADVISORY  READ 23598 fe:00:345984 0 EOF",
        "2: POSIX  ADVISORY  READ 23356 00:27:55517 128 128",
        "3: POSIX  ADVISORY  WRITE 23356 00:27:55517 120 120",
        "3: -> POSIX  ADVISORY  WRITE 23357 00:27:55517 120 120",
        "4: POSIX  ADVISORY  WRITE 23358 00:27:55513 1073741826 1073742335",
        "5: OFDLCK ADVISORY  WRITE -1 00:1d:9 120 120",
    ];

    [Theory]
    [InlineData(23356, true)]
    [InlineData(23357, false)] // waits for it
    [InlineData(23358, false)] // has another one
    [InlineData(23598, false)]
    [InlineData(2335, false)]
    public void Whoever_has_the_lock_of_who_writes_is_the_writer(int pid, bool isWriter) =>
        Assert.Equal(isWriter, JournalWriter.Is(pid, Locks));

    // Of this process it would depend on the journals of the tests beside this one.
    [Fact]
    public void A_process_that_does_not_exist_has_none() =>
        Assert.Equal(OperatingSystem.IsLinux() ? false : null, JournalWriter.Is(int.MaxValue));
}
