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
            connection = new SqliteConnection(new SqliteConnectionStringBuilder
            {
                DataSource = path, Pooling = false, DefaultTimeout = BusyTimeoutMs / 1_000,
            }.ToString());
            connection.Open();
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

    private void Prepare()
    {
        Execute($"PRAGMA busy_timeout = {BusyTimeoutMs}");
        Execute("PRAGMA journal_mode = WAL");
        Execute("PRAGMA synchronous = FULL");
        using var transaction = _connection.BeginTransaction();
        var version = Scalar(transaction, "PRAGMA user_version");
        if (version == 0 && Scalar(transaction, "SELECT COUNT(*) FROM sqlite_master") == 0)
        {
            using var create = Command(transaction, Schema);
            create.ExecuteNonQuery();
        }
        else if (version != SchemaVersion || Scalar(transaction, "PRAGMA application_id") != ApplicationId)
        {
            throw new UserException(ExitCode.Cluster,
                $"{_path}: this is not a journal of this version of convoy (schema {version}, "
                + $"expected {SchemaVersion}); use another state folder or the convoy that wrote it");
        }

        transaction.Commit();
    }

    public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null) =>
        Transact(transaction =>
    {
        var token = 0L;
        using (var read = Command(transaction, $"SELECT holder, token, expires_ms - {NowMs} FROM lease WHERE id = 1"))
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

        using var write = Command(transaction, $"""
            INSERT INTO lease(id, holder, token, expires_ms) VALUES(1, $holder, $token, {NowMs} + $life)
            ON CONFLICT(id) DO UPDATE
                SET holder = excluded.holder, token = excluded.token, expires_ms = excluded.expires_ms
            """, ("$holder", holder), ("$token", token + 1), ("$life", (long)life.TotalMilliseconds));
        write.ExecuteNonQuery();
        return new LeaseAnswer(new Lease(holder, new LeaderToken(token + 1)), holder, life);
    });

    public bool Renew(Lease lease, TimeSpan life) => Transact(transaction =>
    {
        using var write = Command(transaction,
            $"UPDATE lease SET expires_ms = {NowMs} + $life WHERE id = 1 AND token = $token",
            ("$token", lease.Token.Value), ("$life", (long)life.TotalMilliseconds));
        return write.ExecuteNonQuery() == 1;
    });

    public void Release(Lease lease) => Renew(lease, TimeSpan.Zero);

    public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events) =>
        Transact(transaction =>
    {
        if (Scalar(transaction, "SELECT token FROM lease WHERE id = 1") != lease.Token.Value)
            return AppendResult.LeaseLost;
        if (Scalar(transaction, "SELECT COALESCE(MAX(seq), 0) FROM events WHERE stream = $stream",
            ("$stream", stream)) != afterSeq)
            return AppendResult.SeqTaken;
        var seq = afterSeq;
        foreach (var e in events)
        {
            using var write = Command(transaction,
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
        using var read = Command(null,
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
        using var read = Command(null, "SELECT DISTINCT stream FROM events ORDER BY stream");
        using var rows = read.ExecuteReader();
        var names = new List<string>();
        while (rows.Read()) names.Add(rows.GetString(0));
        return names;
    });

    public void Dispose()
    {
        using (_lock.Enter()) _connection.Dispose();
    }

    private T Transact<T>(Func<SqliteTransaction, T> action) => Guarded(() =>
    {
        // BEGIN IMMEDIATE: the write lock is taken before anything is read, so what was read still holds at the commit.
        using var transaction = _connection.BeginTransaction();
        var result = action(transaction);
        transaction.Commit();
        return result;
    });

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
        using var command = Command(null, sql);
        command.ExecuteNonQuery();
    }

    private long Scalar(SqliteTransaction? transaction, string sql, params ReadOnlySpan<(string, object)> parameters)
    {
        using var command = Command(transaction, sql, parameters);
        return command.ExecuteScalar() is long value ? value : 0;
    }

    private SqliteCommand Command(SqliteTransaction? transaction, string sql,
        params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        var command = _connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }

    private static UserException Damaged(string path) =>
        new(ExitCode.Cluster,
            $"{path}: the journal is damaged; move the file away and resume from the newest checkpoint");

    // Primary result codes of SQLite.
    private static UserException Explain(string path, Exception e) =>
        new(ExitCode.Cluster, (e as SqliteException)?.SqliteErrorCode switch
        {
            5 or 6 => $"{path}: the journal is locked by another process for more than {BusyTimeoutMs / 1_000} s; is "
                + "another coordinator using this state folder?",
            8 => $"{path}: the journal cannot be written; check the rights of the file and its folder",
            10 => $"{path}: the disk failed under the journal ({e.Message}); check the disk and its file system",
            11 => Damaged(path).Message,
            13 => $"{path}: the disk is full; make room and start again",
            14 => $"{path}: the journal cannot be opened; check that the folder is there and may be written",
            26 => $"{path}: this file is not a journal; move it away or use another state folder",
            _ => $"{path}: the journal cannot be used: {e.Message.ReplaceLineEndings(" ")}",
        });
}
