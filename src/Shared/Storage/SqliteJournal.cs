using Convoy.Shared.Ids;
using Convoy.Shared.Threading;
using Microsoft.Data.Sqlite;

namespace Convoy.Shared.Storage;

/// <summary>
/// The journal in one SQLite file: several processes of one machine may open it. Commits are durable when they return
/// (synchronous=FULL), because a leader never tells what is not (L2). The schema keeps to SQLite 3.35.
/// </summary>
public sealed partial class SqliteJournal : IJournal
{
    private const int SchemaVersion = 2;
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
          expires_ms INTEGER NOT NULL CHECK(typeof(expires_ms) = 'integer'),
          seal INTEGER NOT NULL CHECK(typeof(seal) = 'integer'));
        CREATE TABLE events(
          stream TEXT NOT NULL CHECK(typeof(stream) = 'text'),
          seq INTEGER NOT NULL CHECK(typeof(seq) = 'integer' AND seq > 0),
          token INTEGER NOT NULL CHECK(typeof(token) = 'integer'),
          type TEXT NOT NULL CHECK(typeof(type) = 'text'),
          json TEXT NOT NULL CHECK(typeof(json) = 'text'),
          utc_ms INTEGER NOT NULL CHECK(typeof(utc_ms) = 'integer'),
          seal INTEGER NOT NULL CHECK(typeof(seal) = 'integer'),
          PRIMARY KEY(stream, seq)) WITHOUT ROWID;
        {HeadSchema}
        PRAGMA application_id = 1129270870;
        PRAGMA user_version = 2;
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

            File.Delete(JournalHead.FileOf(path)); // of a journal that was moved away
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
        // Before the journal itself: another process may append meanwhile, and it appends here first.
        var head = JournalHead.Read(_path);
        var version = Scalar("PRAGMA user_version");
        if (version is not (UnsealedVersion or SchemaVersion) || Scalar("PRAGMA application_id") != ApplicationId)
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
        CheckAll(head);
    }

    /// <summary>Of tests: the file grows no further, as on a full disk.</summary>
    internal void LimitPages(int pagesMax) =>
        Execute(FormattableString.Invariant($"PRAGMA max_page_count = {pagesMax}"));

    public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events)
    {
        var count = 0L;
        var result = Transact(() =>
        {
            if (ReadLease()?.Token != lease.Token.Value) return AppendResult.LeaseLost;
            if (Scalar("SELECT COALESCE(MAX(seq), 0) FROM events WHERE stream = $stream",
                ("$stream", stream)) != afterSeq)
                return AppendResult.SeqTaken;
            count = AppendSealed(lease.Token.Value, stream, afterSeq, events);
            return AppendResult.Appended;
        });
        if (result == AppendResult.Appended) JournalHead.Write(_path, count, lease.Token.Value);
        return result;
    }

    public IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0) => Guarded(() =>
    {
        var events = new List<JournalEvent>();
        ReadSealed(stream, afterSeq, (e, _) => events.Add(e));
        return (IReadOnlyList<JournalEvent>)events;
    });

    public IReadOnlyList<string> Streams() => Guarded(() => (IReadOnlyList<string>)StreamNames());

    public void Dispose()
    {
        using (_lock.Enter()) _connection.Dispose();
    }

    private T Transact<T>(Func<T> action) => Guarded(() =>
        TryBegin(BusyTimeoutMs) ? Committed(action) : throw LockedText(_path, BusyTimeoutMs));

    /// <summary>False: another process has the write lock.</summary>
    private bool TryBegin(int waitMs)
    {
        // A deleted file can still be written, and nobody would ever read it.
        if (!File.Exists(_path)) throw new UserException(ExitCode.Storage, StorageFault.GoneText(_path));
        // IMMEDIATE: the write lock is taken before anything is read, so what was read still holds at the commit.
        Execute(FormattableString.Invariant($"PRAGMA busy_timeout = {waitMs}"));
        using var begin = Command("BEGIN IMMEDIATE");
        begin.CommandTimeout = waitMs / 1_000;
        try
        {
            begin.ExecuteNonQuery();
            return true;
        }
        catch (SqliteException e) when (IsLocked(e))
        {
            return false;
        }
    }

    private T Committed<T>(Func<T> action)
    {
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
    }

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
            _ when IsLocked(sqlite) => LockedText(path, BusyTimeoutMs),
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

    private static bool IsLocked(SqliteException e) => e.SqliteErrorCode is 5 or 6;

    private static UserException LockedText(string path, int forMs) => new(ExitCode.Cluster,
        $"{path}: the journal is locked by another process for more than {forMs / 1_000} s; is another coordinator "
        + "using this state folder?");

    private static UserException Storage(string text) => new(ExitCode.Storage, text);
}
