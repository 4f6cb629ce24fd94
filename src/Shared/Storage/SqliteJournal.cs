using Convoy.Shared.Ids;
using Convoy.Shared.Threading;
using Microsoft.Data.Sqlite;

namespace Convoy.Shared.Storage;

/// <summary>
/// The journal in one SQLite file: several processes of one machine may open it. Commits are durable when they return
/// (synchronous=FULL), because a leader never tells what is not (L2). The schema keeps to SQLite 3.35.
/// </summary>
public sealed class SqliteJournal : IJournal
{
    private const int SchemaVersion = 1;
    private const int ApplicationId = 0x434F4E56;
    private const int BusyTimeoutMs = 5_000;
    // The database's clock in milliseconds since 1970; unixepoch() is younger than 3.35.
    private const string NowMs = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)";

    // CHECK(typeof) stands in for STRICT tables, which are younger than 3.35.
    private const string Schema = $"""
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
        PRAGMA application_id = 1129270870;
        PRAGMA user_version = 1;
        """;

    private readonly OrderedLock _lock = new("a journal", LockRank.Storage);
    private readonly string _path;
    private readonly SqliteConnection _connection;

    private SqliteJournal(string path, SqliteConnection connection) => (_path, _connection) = (path, connection);

    /// <summary>Opens or creates the file; its folder is created too.</summary>
    public static SqliteJournal Open(string path)
    {
        SqliteConnection? connection = null;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            if (!Path.Exists(path)) Create(path);
            // SQLite takes an empty file for a new database: what was in it would be lost without a word.
            if (new FileInfo(path) is { Exists: true, Length: 0 }) throw Damaged(path);
            connection = Connect(path, SqliteOpenMode.ReadWrite);
            var journal = new SqliteJournal(path, connection);
            journal.Prepare();
            return journal;
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            connection?.Dispose();
            throw Explain(path, e);
        }
        catch (UserException)
        {
            connection?.Dispose();
            throw;
        }
    }

    private static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = BusyTimeoutMs / 1_000,
        }.ToString());
        connection.Open();
        return connection;
    }

    /// <summary>Under another name, then renamed: the file is there with its tables, or not at all.</summary>
    private static void Create(string path)
    {
        var temporary = $"{path}.new-{Path.GetRandomFileName()}";
        try
        {
            using (var connection = Connect(temporary, SqliteOpenMode.ReadWriteCreate))
            {
                using var create = connection.CreateCommand();
                create.CommandText = $"PRAGMA synchronous = FULL; BEGIN; {Schema} COMMIT;";
                create.ExecuteNonQuery();
            }

            File.Move(temporary, path);
            RealDisk.Instance.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(temporary); // another coordinator was first: its file is the journal
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private void Prepare()
    {
        Execute($"PRAGMA busy_timeout = {BusyTimeoutMs}");
        var version = Scalar("PRAGMA user_version");
        if (version != SchemaVersion || Scalar("PRAGMA application_id") != ApplicationId)
        {
            throw new UserException(ExitCode.Cluster,
                $"{_path}: this is not a journal of this version of convoy (schema {version}, "
                + $"expected {SchemaVersion}); use another state folder or the convoy that wrote it");
        }

        // SQLite reads what a last page has lost as zeros. A crash may tear one: then the log beside it has it whole.
        var log = new FileInfo(_path + "-wal");
        if (new FileInfo(_path).Length % Scalar("PRAGMA page_size") != 0 && log is not { Exists: true, Length: > 0 })
            throw Damaged(_path);
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = FULL");
        // A page that was written over shows when it is read, perhaps in the middle of a take-over: better now.
        using var check = Command("PRAGMA quick_check(1)");
        if (check.ExecuteScalar() is not "ok") throw Damaged(_path);
    }

    /// <summary>Of tests: the file grows no further, as on a full disk.</summary>
    internal void LimitPages(int pagesMax) =>
        Execute(FormattableString.Invariant($"PRAGMA max_page_count = {pagesMax}"));

    public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null) =>
        Transact(() =>
    {
        var token = 0L;
        using (var read = Command($"SELECT holder, token, expires_ms - {NowMs} FROM lease WHERE id = 1"))
        using (var row = read.ExecuteReader())
        {
            if (row.Read())
            {
                var (present, restMs) = (row.GetString(0), row.GetInt64(2));
                token = row.GetInt64(1);
                if (restMs > 0 && isGone?.Invoke(present) != true)
                    return new LeaseAnswer(null, present, TimeSpan.FromMilliseconds(restMs));
            }
        }

        using var write = Command($"""
            INSERT INTO lease(id, holder, token, expires_ms) VALUES(1, $holder, $token, {NowMs} + $life)
            ON CONFLICT(id) DO UPDATE
                SET holder = excluded.holder, token = excluded.token, expires_ms = excluded.expires_ms
            """, ("$holder", holder), ("$token", token + 1), ("$life", (long)life.TotalMilliseconds));
        write.ExecuteNonQuery();
        return new LeaseAnswer(new Lease(holder, new LeaderToken(token + 1)), holder, life);
    });

    public bool Renew(Lease lease, TimeSpan life) => Transact(() =>
    {
        using var write = Command(
            $"UPDATE lease SET expires_ms = {NowMs} + $life WHERE id = 1 AND token = $token",
            ("$token", lease.Token.Value), ("$life", (long)life.TotalMilliseconds));
        return write.ExecuteNonQuery() == 1;
    });

    public void Release(Lease lease) => Renew(lease, TimeSpan.Zero);

    public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events) =>
        Transact(() =>
    {
        if (Scalar("SELECT token FROM lease WHERE id = 1") != lease.Token.Value)
            return AppendResult.LeaseLost;
        if (Scalar("SELECT COALESCE(MAX(seq), 0) FROM events WHERE stream = $stream",
            ("$stream", stream)) != afterSeq)
            return AppendResult.SeqTaken;
        var seq = afterSeq;
        foreach (var e in events)
        {
            using var write = Command(
                $"INSERT INTO events(stream, seq, token, type, json, utc_ms) VALUES($stream, $seq, $token, $type, "
                    + $"$json, {NowMs})",
                ("$stream", stream), ("$seq", ++seq), ("$token", lease.Token.Value), ("$type", e.Type),
                    ("$json", e.Json));
            write.ExecuteNonQuery();
        }

        return AppendResult.Appended;
    });

    public IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0) => Guarded(() =>
    {
        using var read = Command(
            "SELECT seq, token, type, json, utc_ms FROM events WHERE stream = $stream AND seq > $after ORDER BY seq",
            ("$stream", stream), ("$after", afterSeq));
        using var rows = read.ExecuteReader();
        var events = new List<JournalEvent>();
        while (rows.Read())
        {
            var (seq, utcMs) = (rows.GetInt64(0), rows.GetInt64(4));
            // Rows are written one after the other and in our time; pages of a damaged file may hold anything.
            if (seq != afterSeq + events.Count + 1 || utcMs is < 0 or > 253_402_300_799_999) throw Damaged(_path);
            events.Add(new JournalEvent(stream, seq, new LeaderToken(rows.GetInt64(1)), rows.GetString(2),
                rows.GetString(3),
                DateTimeOffset.FromUnixTimeMilliseconds(utcMs)));
        }

        return events;
    });

    public IReadOnlyList<string> Streams() => Guarded(() =>
    {
        using var read = Command("SELECT DISTINCT stream FROM events ORDER BY stream");
        using var rows = read.ExecuteReader();
        var names = new List<string>();
        while (rows.Read()) names.Add(rows.GetString(0));
        return names;
    });

    public void Dispose()
    {
        using (_lock.Enter()) _connection.Dispose();
    }

    private T Transact<T>(Func<T> action) => Guarded(() =>
    {
        // A deleted file can still be written, and nobody would ever read it.
        if (!File.Exists(_path)) throw new UserException(ExitCode.Storage, StorageFault.GoneText(_path));
        // IMMEDIATE: the write lock is taken before anything is read, so what was read still holds at the commit.
        Execute("BEGIN IMMEDIATE");
        try
        {
            var result = action();
            Execute("COMMIT");
            return result;
        }
        catch
        {
            RollBack();
            throw;
        }
    });

    /// <summary>A full or failing disk has mostly ended the transaction itself.</summary>
    private void RollBack()
    {
        if (SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle) != 0) return;
        try
        {
            Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // The cause is on its way. Nothing more can be appended; what was begun ends with the connection.
        }
    }

    private T Guarded<T>(Func<T> action)
    {
        using (_lock.Enter())
        {
            try
            {
                return action();
            }
            catch (SqliteException e)
            {
                throw Explain(_path, e);
            }
            catch (InvalidCastException)
            {
                // A column of another type than its CHECK allows.
                throw Damaged(_path);
            }
        }
    }

    private void Execute(string sql)
    {
        using var command = Command(sql);
        command.ExecuteNonQuery();
    }

    private long Scalar(string sql, params ReadOnlySpan<(string, object)> parameters)
    {
        using var command = Command(sql, parameters);
        return command.ExecuteScalar() is long value ? value : 0;
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }

    private static UserException Damaged(string path) => new(ExitCode.Storage,
        $"{path}: the journal is damaged; move {Path.GetFileName(path)}* out of the folder, then go on with --resume "
        + "from the newest checkpoint");

    // Primary result codes of SQLite.
    private static UserException Explain(string path, Exception e) => e is not SqliteException sqlite
        ? StorageFault.Of(path, e)
        : sqlite.SqliteErrorCode switch
        {
            5 or 6 => new UserException(ExitCode.Cluster, $"{path}: the journal is locked by another process for more "
                + $"than {BusyTimeoutMs / 1_000} s; is another coordinator using this state folder?"),
            _ when !Directory.Exists(Path.GetDirectoryName(path)) => Storage(StorageFault.GoneText(path)),
            8 => Storage($"{path}: the journal cannot be written; check the rights of the file and its folder, and "
                + "that the disk is not read-only"),
            10 => Storage($"{path}: the disk failed under the journal ({e.Message}); check the disk and its file "
                + "system, then go on with --resume"),
            11 => Damaged(path),
            13 => Storage(StorageFault.FullText(path) + StorageFault.ResumeAdvice),
            14 => Storage($"{path}: the journal cannot be opened; check that the folder is there and may be written"),
            26 => Storage($"{path}: this file is not a journal; move it away or use another state folder"),
            _ => Storage($"{path}: the journal cannot be used: {e.Message.ReplaceLineEndings(" ")}"),
        };

    private static UserException Storage(string text) => new(ExitCode.Storage, text);
}
