using System.Text;
using Convoy.Shared.Ids;
using Convoy.Shared.Storage;
using Microsoft.Data.Sqlite;

namespace Convoy.Shared.Tests.Storage;

/// <summary>
/// Decision 10, R11: damage that is still a database and still JSON, and transactions that went with the log beside the
/// file, are seen when the journal is opened. One line, exit code 8.
/// </summary>
public sealed class JournalSealTests : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(10);
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-seals-").FullName;

    private string At(string name) => Path.Combine(_folder, name, "journal.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Append(SqliteJournal journal, Lease lease, string stream, long after, string json) =>
        Assert.Equal(AppendResult.Appended, journal.Append(lease, stream, after, [new("kind_of_event", json)]));

    private static string Refusal(string file)
    {
        var e = Assert.Throws<UserException>(() => SqliteJournal.Open(file).Dispose());
        Assert.Equal(ExitCode.Storage, e.Code);
        Assert.StartsWith(file, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    private string Written()
    {
        var file = At("one");
        using var journal = SqliteJournal.Open(file);
        var lease = journal.TryAcquire("the-holder", Life).Lease!;
        Append(journal, lease, "stream-a", 0, "{\"step\":1234567}");
        Append(journal, lease, "stream-a", 1, "{\"step\":7654321}");
        Append(journal, lease, "stream-b", 0, "{\"path\":\"elsewhere\"}");
        return file;
    }

    [Theory]
    [InlineData("1234567")]
    [InlineData("7654321")]
    [InlineData("elsewhere")]
    [InlineData("kind_of_event")]
    [InlineData("stream-a")]
    [InlineData("stream-b")]
    [InlineData("the-holder")]
    public void A_value_that_was_changed_is_damage(string value)
    {
        var file = Written();
        var whole = File.ReadAllBytes(file);
        var found = 0;
        for (var from = 0; whole.AsSpan(from).IndexOf(Encoding.UTF8.GetBytes(value)) is >= 0 and var at; found++)
        {
            for (var i = 0; i < value.Length; i++)
            {
                var damaged = (byte[])whole.Clone();
                damaged[from + at + i] ^= 1;
                File.WriteAllBytes(file, damaged);
                Assert.Contains("the journal is damaged", Refusal(file), StringComparison.Ordinal);
            }

            from += at + value.Length;
        }

        Assert.True(found > 0);
        File.WriteAllBytes(file, whole);
        SqliteJournal.Open(file).Dispose();
    }

    [Theory]
    [InlineData("UPDATE events SET token = token + 1 WHERE stream = 'stream-b'")]
    [InlineData("UPDATE events SET utc_ms = utc_ms + 1 WHERE seq = 2")]
    [InlineData("DELETE FROM events WHERE seq = 2")]
    [InlineData("DELETE FROM events WHERE stream = 'stream-b'")]
    [InlineData("UPDATE events SET stream = 'stream-c' WHERE stream = 'stream-b'")]
    [InlineData("UPDATE events SET seal = 0 WHERE stream = 'stream-b'")]
    [InlineData("UPDATE lease SET token = 0")]
    [InlineData("UPDATE lease SET expires_ms = 9000000000000")]
    [InlineData("UPDATE head SET events = 4")]
    [InlineData("UPDATE head SET chain = chain + 1")]
    [InlineData("DELETE FROM head")]
    [InlineData("PRAGMA user_version = 1")]
    public void A_row_that_was_changed_with_other_means_is_damage(string sql)
    {
        var file = Written();
        Execute(file, sql);
        Assert.Contains("the journal is damaged", Refusal(file), StringComparison.Ordinal);
    }

    // The file beside it says what there was: a log that was cut loses whole transactions, and what is left is well.
    [Fact]
    public void A_log_that_was_cut_or_deleted_is_damage_where_records_went_with_it()
    {
        var file = At("open");
        using var journal = SqliteJournal.Open(file);
        var lease = journal.TryAcquire("a", Life).Lease!;
        for (var i = 0; i < 6; i++) Append(journal, lease, "job", i, $"{{\"n\":{i}}}");
        var log = CopyOf(file + "-wal").Length;
        var (refused, read) = (0, 0);
        for (var cut = 0; cut <= log; cut += 1_024)
        {
            var copy = At($"cut-{cut}");
            Crash(file, copy, log - cut);
            if (cut == 0)
            {
                using var whole = SqliteJournal.Open(copy);
                Assert.Equal(6, whole.Read("job").Count);
                read++;
                continue;
            }

            Assert.Matches("the journal lost (its newest [1-6] records|a change of its leader)", Refusal(copy));
            refused++;
        }

        Assert.True(refused > 5 && read == 1, $"{refused} refused, {read} read");
        Crash(file, At("deleted"), 0);
        File.Delete(At("deleted") + "-wal");
        Assert.Contains("lost its newest 6 records", Refusal(At("deleted")), StringComparison.Ordinal);
    }

    // It is a witness only: without it, or with one of before, the journal is what it is.
    [Fact]
    public void The_file_beside_it_may_be_old_or_missing_or_torn()
    {
        var file = Written();
        var head = file + "-head";
        var now = File.ReadAllBytes(head);
        foreach (var content in new byte[][] { [], now[..20], [.. now[..12], 0x7F, .. now[13..]] })
        {
            File.WriteAllBytes(head, content);
            SqliteJournal.Open(file).Dispose();
        }

        File.Delete(head);
        using var journal = SqliteJournal.Open(file);
        Append(journal, journal.TryAcquire("b", Life, _ => true).Lease!, "stream-b", 1, "{}");
        Assert.True(File.Exists(head));
    }

    [Fact]
    public void A_new_journal_where_one_was_moved_away_begins_with_nothing()
    {
        var file = Written();
        File.Delete(file);
        using var journal = SqliteJournal.Open(file);
        Assert.Empty(journal.Streams());
    }

    [Fact]
    public void A_journal_of_before_is_read_and_sealed_from_then_on()
    {
        var file = At("old");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        Execute(file, """
            PRAGMA journal_mode = WAL;
            CREATE TABLE lease(
              id INTEGER PRIMARY KEY CHECK(id = 1),
              holder TEXT NOT NULL CHECK(typeof(holder) = 'text'),
              token INTEGER NOT NULL CHECK(typeof(token) = 'integer'),
              expires_ms INTEGER NOT NULL CHECK(typeof(expires_ms) = 'integer'));
            CREATE TABLE events(
              stream TEXT NOT NULL CHECK(typeof(stream) = 'text'),
              seq INTEGER NOT NULL CHECK(typeof(seq) = 'integer' AND seq > 0),
              token INTEGER NOT NULL CHECK(typeof(token) = 'integer'),
              type TEXT NOT NULL CHECK(typeof(type) = 'text'),
              json TEXT NOT NULL CHECK(typeof(json) = 'text'),
              utc_ms INTEGER NOT NULL CHECK(typeof(utc_ms) = 'integer'),
              PRIMARY KEY(stream, seq)) WITHOUT ROWID;
            INSERT INTO lease VALUES(1, 'w', 7, 9700000000000);
            INSERT INTO events VALUES('job', 1, 7, 'x', '{"n":1}', 1700000000000);
            INSERT INTO events VALUES('job', 2, 7, 'y', '{"n":2}', 1700000000001);
            PRAGMA application_id = 1129270870;
            PRAGMA user_version = 1;
            """);
        using (var journal = SqliteJournal.Open(file))
        {
            Assert.Equal(["{\"n\":1}", "{\"n\":2}"], journal.Read("job").Select(e => e.Json));
            // Who stands by seals nothing: a leader of the version before may still append, until its token is old.
            Assert.Null(journal.TryAcquire("a", Life, holder => holder != "w").Lease);
            Execute(file, """INSERT INTO events VALUES('more', 1, 7, 'z', '{}', 1700000000002)""");
            Assert.Equal(["job", "more"], journal.Streams());
            var lease = journal.TryAcquire("a", Life, holder => holder == "w").Lease!;
            Assert.Equal(new LeaderToken(8), lease.Token);
            Append(journal, lease, "job", 2, "{\"n\":3}");
        }

        using (var again = SqliteJournal.Open(file))
            Assert.Equal((3, 1), (again.Read("job").Count, again.Read("more").Count));
        Execute(file, """UPDATE events SET json = '{"n":9}' WHERE seq = 1""");
        Assert.Contains("the journal is damaged", Refusal(file), StringComparison.Ordinal);
    }

    private static void Execute(string file, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>What a process that is killed now leaves, with so much of its log.</summary>
    private static void Crash(string file, string copy, int logBytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
        File.WriteAllBytes(copy, CopyOf(file));
        File.WriteAllBytes(copy + "-wal", CopyOf(file + "-wal")[..logBytes]);
        File.WriteAllBytes(copy + "-head", CopyOf(file + "-head"));
    }

    private static byte[] CopyOf(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
