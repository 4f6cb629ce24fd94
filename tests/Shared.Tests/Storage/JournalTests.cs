using Convoy.Shared.Ids;
using Convoy.Shared.Storage;
using Microsoft.Data.Sqlite;

namespace Convoy.Shared.Tests.Storage;

/// <summary>The same rules for every journal.</summary>
public abstract class JournalTests : IDisposable
{
    protected static readonly TimeSpan Life = TimeSpan.FromMinutes(10);

    /// <summary>Another process that opens the same journal.</summary>
    internal abstract IJournal Open();

    public virtual void Dispose() => GC.SuppressFinalize(this);

    [Fact]
    public void Events_come_back_in_order_and_survive_reopening()
    {
        using (var journal = Open())
        {
            var lease = journal.TryAcquire("a", Life).Lease!;
            Assert.Equal(AppendResult.Appended,
                journal.Append(lease, "job", 0, [new("Started", "{\"x\":1}"), new("Opened", "{}")]));
            Assert.Equal(AppendResult.Appended, journal.Append(lease, "job", 2, [new("Closed", "{}")]));
            Assert.Equal(AppendResult.Appended, journal.Append(lease, "another", 0, [new("Ä \"' ;", "{}")]));
        }

        using var again = Open();
        Assert.Equal(["another", "job"], again.Streams());
        Assert.Equal([(1, "Started"), (2, "Opened"), (3, "Closed")],
            again.Read("job").Select(e => ((int)e.Seq, e.Type)));
        Assert.Equal("{\"x\":1}", again.Read("job")[0].Json);
        Assert.Equal([3L], again.Read("job", 2).Select(e => e.Seq));
        Assert.Equal("Ä \"' ;", Assert.Single(again.Read("another")).Type);
        Assert.Empty(again.Read("none"));
    }

    [Fact]
    public void A_held_lease_is_not_given_and_names_its_holder()
    {
        using var journal = Open();
        Assert.Equal(new LeaderToken(1), journal.TryAcquire("a", Life).Lease!.Token);
        var refused = journal.TryAcquire("b", Life);
        Assert.Null(refused.Lease);
        Assert.Equal("a", refused.Holder);
        Assert.InRange(refused.ExpiresIn, TimeSpan.FromMinutes(9), Life);
    }

    // L1: at most one token can append.
    [Fact]
    public void After_a_take_over_the_old_leader_can_neither_append_nor_renew()
    {
        using var old = Open();
        using var young = Open();
        var first = old.TryAcquire("a", TimeSpan.Zero).Lease!;
        var second = young.TryAcquire("b", Life).Lease!;
        Assert.Equal(first.Token.Value + 1, second.Token.Value);
        Assert.Equal(AppendResult.LeaseLost, old.Append(first, "job", 0, [new("x", "{}")]));
        Assert.False(old.Renew(first, Life));
        old.Release(first);
        Assert.Equal(AppendResult.Appended, young.Append(second, "job", 0, [new("y", "{}")]));
        Assert.Equal("y", Assert.Single(old.Read("job")).Type);
        Assert.Null(old.TryAcquire("c", Life).Lease);
    }

    [Fact]
    public void An_expired_lease_without_successor_still_appends_and_renews()
    {
        using var journal = Open();
        var lease = journal.TryAcquire("a", TimeSpan.Zero).Lease!;
        Assert.Equal(AppendResult.Appended, journal.Append(lease, "job", 0, [new("x", "{}")]));
        Assert.True(journal.Renew(lease, Life));
        Assert.Null(journal.TryAcquire("b", Life).Lease);
    }

    [Fact]
    public void A_released_lease_and_that_of_a_dead_holder_are_free_at_once()
    {
        using var journal = Open();
        journal.Release(journal.TryAcquire("a", Life).Lease!);
        Assert.NotNull(journal.TryAcquire("b", Life).Lease);
        Assert.Null(journal.TryAcquire("c", Life, holder => holder != "b").Lease);
        Assert.Equal(new LeaderToken(3), journal.TryAcquire("c", Life, holder => holder == "b").Lease!.Token);
    }

    [Fact]
    public void A_stream_that_moved_on_takes_nothing()
    {
        using var journal = Open();
        var lease = journal.TryAcquire("a", Life).Lease!;
        journal.Append(lease, "job", 0, [new("x", "{}")]);
        Assert.Equal(AppendResult.SeqTaken, journal.Append(lease, "job", 0, [new("y", "{}"), new("z", "{}")]));
        Assert.Equal(AppendResult.SeqTaken, journal.Append(lease, "job", 5, [new("y", "{}")]));
        Assert.Single(journal.Read("job"));
    }
}

public sealed class MemoryJournalTests : JournalTests
{
    private readonly MemoryJournal _journal = new(TimeProvider.System);

    internal override IJournal Open() => _journal;
}

public sealed class SqliteJournalTests : JournalTests
{
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-journal-").FullName;

    private string File => Path.Combine(_folder, "state", "journal.db");

    internal override IJournal Open() => SqliteJournal.Open(File);

    public override void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        base.Dispose();
    }

    private string Refusal(ExitCode code = ExitCode.Storage)
    {
        var e = Assert.Throws<UserException>(Open);
        Assert.Equal(code, e.Code);
        Assert.StartsWith(File, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, string.Concat(Enumerable.Repeat("this is not a database ", 100)));
        Assert.Contains("not a journal", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_in_its_place_is_refused()
    {
        Directory.CreateDirectory(File);
        Assert.Contains("cannot be opened", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Somebody_elses_database_is_refused_and_left_alone()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        using (var connection = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "CREATE TABLE mine(x); PRAGMA user_version = 1";
            command.ExecuteNonQuery();
        }

        Assert.Contains("not a journal of this version", Refusal(ExitCode.Cluster), StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_database_is_refused_or_read_never_an_exception_of_another_kind()
    {
        using (var journal = Open())
        {
            var lease = journal.TryAcquire("a", TimeSpan.FromMinutes(1)).Lease!;
            for (var i = 0; i < 200; i++) journal.Append(lease, "job", i, [new("x", new string('y', 200))]);
        }

        var bytes = System.IO.File.ReadAllBytes(File);
        for (var at = 0; at < bytes.Length; at += 997)
        {
            var damaged = (byte[])bytes.Clone();
            damaged.AsSpan(at, Math.Min(200, damaged.Length - at)).Fill(0xA5);
            System.IO.File.WriteAllBytes(File, damaged);
            try
            {
                using var journal = Open();
                journal.Read("job");
                journal.Streams();
            }
            catch (UserException e)
            {
                Assert.Equal(ExitCode.Storage, e.Code);
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    // R11: a transaction that the disk refused leaves nothing behind; with room again the journal goes on.
    [Fact]
    public void A_full_disk_refuses_a_record_whole_and_takes_the_next_when_there_is_room()
    {
        using var journal = (SqliteJournal)Open();
        var lease = journal.TryAcquire("a", TimeSpan.FromMinutes(1)).Lease!;
        journal.Append(lease, "job", 0, [new("x", "{}")]);
        journal.LimitPages(1);
        for (var i = 0; i < 3; i++)
        {
            var e = Assert.Throws<UserException>(() => journal.Append(lease, "job", 1,
                [new("y", "{}"), new("z", new string('z', 100_000))]));
            Assert.Equal(ExitCode.Storage, e.Code);
            Assert.Matches($"^{System.Text.RegularExpressions.Regex.Escape(File)}: the disk is full "
                + @"\([0-9]+ (bytes|KB|MB|GB) free\); make room, then go on with --resume$", e.Message);
            Assert.Equal(["x"], journal.Read("job").Select(r => r.Type));
        }

        journal.LimitPages(1_000);
        Assert.True(journal.Renew(lease, TimeSpan.FromMinutes(1)));
        Assert.Equal(AppendResult.Appended, journal.Append(lease, "job", 1, [new("y", "{}")]));
        Assert.Equal(["x", "y"], journal.Read("job").Select(r => r.Type));
    }

    [Fact]
    public void An_emptied_file_is_damage_not_a_new_journal()
    {
        Open().Dispose();
        System.IO.File.WriteAllBytes(File, []);
        Assert.Contains("the journal is damaged", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_lost_its_end_is_damage()
    {
        using (var journal = Open())
        {
            var lease = journal.TryAcquire("a", TimeSpan.FromMinutes(1)).Lease!;
            for (var i = 0; i < 50; i++) journal.Append(lease, "job", i, [new("x", new string('y', 500))]);
        }

        var whole = System.IO.File.ReadAllBytes(File);
        for (var length = whole.Length - 1; length > 0; length -= 4_096)
        {
            System.IO.File.WriteAllBytes(File, whole[..length]);
            Assert.True(Refusal().Contains("damaged", StringComparison.Ordinal), $"{length} of {whole.Length} bytes");
        }
    }

    // What is written into a deleted file nobody would ever read.
    [Fact]
    public void A_folder_that_vanished_takes_no_record()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "an open file cannot be deleted there");
        using var journal = Open();
        var lease = journal.TryAcquire("a", TimeSpan.FromMinutes(1)).Lease!;
        Directory.Delete(Path.GetDirectoryName(File)!, recursive: true);
        foreach (var act in new Action[]
        {
            () => journal.Append(lease, "job", 0, [new("x", "{}")]),
            () => journal.Renew(lease, TimeSpan.FromMinutes(1)),
        })
        {
            var e = Assert.Throws<UserException>(act);
            Assert.Equal(ExitCode.Storage, e.Code);
            Assert.StartsWith($"{File}: it is not there", e.Message, StringComparison.Ordinal);
        }
    }

    // FT-05, L5: a process that was stopped in the middle of an append keeps the lock; who looks at the lease of a
    // leader that lives does not even meet it.
    [Fact]
    public void A_locked_journal_is_told_to_who_could_lead_and_no_matter_to_who_could_not()
    {
        using var journal = Open();
        using var stopped = new SqliteConnection($"Data Source={File};Pooling=False");
        var lease = journal.TryAcquire("a", Life).Lease!;
        stopped.Open();
        Run("BEGIN IMMEDIATE");
        var look = journal.TryAcquire("b", Life);
        Assert.Equal((null, "a", null), (look.Lease, look.Holder, look.Locked));
        Run("ROLLBACK");
        journal.Release(lease);

        Run("BEGIN IMMEDIATE");
        var locked = journal.TryAcquire("b", Life);
        Assert.Equal((null, "a"), (locked.Lease, locked.Holder));
        Assert.True(locked.ExpiresIn <= TimeSpan.Zero, $"{locked.ExpiresIn}");
        Assert.StartsWith($"{File}: the journal is locked by another process for more than 1 s",
            locked.Locked!.Message, StringComparison.Ordinal);
        Run("ROLLBACK");
        Assert.Equal(new LeaderToken(2), journal.TryAcquire("b", Life).Lease!.Token);

        void Run(string sql)
        {
            using var command = stopped.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }

    // Coordinators that start at the same moment: one makes the file, all use it.
    [Fact]
    public async Task Who_comes_first_makes_the_file()
    {
        var opened = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(Open,
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        var lease = opened[0].TryAcquire("a", TimeSpan.FromMinutes(1)).Lease!;
        opened[0].Append(lease, "job", 0, [new("x", "{}")]);
        foreach (var journal in opened)
        {
            Assert.Single(journal.Read("job"));
            journal.Dispose();
        }

        Assert.Equal(["journal.db", "journal.db-head"],
            Directory.GetFiles(Path.GetDirectoryName(File)!).Select(Path.GetFileName).Order());
    }
}
