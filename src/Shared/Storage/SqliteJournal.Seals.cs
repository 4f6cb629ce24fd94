using Convoy.Shared.Ids;

namespace Convoy.Shared.Storage;

// Rows that were changed where SQLite and JSON see nothing of it, and transactions that went with the log beside the
// file: each row has its seal, the head counts all rows, and a file beside the journal says how many there were.
public sealed partial class SqliteJournal
{
    /// <summary>
    /// Journals before there were seals. What they hold is taken as it is, and sealed by the first who leads: until
    /// then a leader of that version may still append.
    /// </summary>
    private const int UnsealedVersion = 1;

    private bool IsSealed => Scalar("PRAGMA user_version") == SchemaVersion;

    // chain: all seals, xored; whoever appends knows it without reading the others.
    private const string HeadSchema = """
        CREATE TABLE head(
          id INTEGER PRIMARY KEY CHECK(id = 1),
          events INTEGER NOT NULL CHECK(typeof(events) = 'integer'),
          chain INTEGER NOT NULL CHECK(typeof(chain) = 'integer'));
        INSERT INTO head(id, events, chain) VALUES(1, 0, 0);
        """;

    private long Now() => Scalar($"SELECT {NowMs}");

    private long CountEvents() => Scalar("SELECT events FROM head WHERE id = 1");

    /// <summary>All events there are now.</summary>
    private long AppendSealed(long token, string stream, long afterSeq, IReadOnlyList<NewEvent> events)
    {
        var (seq, utcMs, chain) = (afterSeq, Now(), Scalar("SELECT chain FROM head WHERE id = 1"));
        var seal = SealAt(stream, afterSeq);
        foreach (var e in events)
        {
            seal = JournalSeal.OfEvent(seal, stream, ++seq, token, e.Type, e.Json, utcMs);
            chain ^= seal;
            using var write = Command(
                "INSERT INTO events(stream, seq, token, type, json, utc_ms, seal) VALUES($stream, $seq, $token, "
                    + "$type, $json, $utc, $seal)",
                ("$stream", stream), ("$seq", seq), ("$token", token), ("$type", e.Type), ("$json", e.Json),
                ("$utc", utcMs), ("$seal", seal));
            write.ExecuteNonQuery();
        }

        var count = CountEvents() + events.Count;
        WriteHead(count, chain);
        return count;
    }

    private long SealAt(string stream, long seq) => seq == 0 ? JournalSeal.None
        : Scalar("SELECT seal FROM events WHERE stream = $stream AND seq = $seq", ("$stream", stream), ("$seq", seq));

    private void WriteHead(long events, long chain)
    {
        using var write = Command("UPDATE head SET events = $events, chain = $chain WHERE id = 1",
            ("$events", events), ("$chain", chain));
        if (write.ExecuteNonQuery() != 1) throw Damaged(_path);
    }

    /// <summary>Rows are read in order and held against their seals.</summary>
    private void ReadSealed(string stream, long afterSeq, Action<JournalEvent, long> take)
    {
        var isSealed = IsSealed;
        using var read = Command($"SELECT seq, token, type, json, utc_ms, {(isSealed ? "seal" : "0")} FROM events "
            + "WHERE stream = $stream AND seq > $after ORDER BY seq", ("$stream", stream), ("$after", afterSeq));
        using var rows = read.ExecuteReader();
        var (last, seal) = (afterSeq, isSealed ? SealAt(stream, afterSeq) : JournalSeal.None);
        while (rows.Read())
        {
            var (seq, token, type, json, utcMs) = (rows.GetInt64(0), rows.GetInt64(1), rows.GetString(2),
                rows.GetString(3), rows.GetInt64(4));
            seal = JournalSeal.OfEvent(seal, stream, seq, token, type, json, utcMs);
            // Rows are written one after the other and in our time; pages of a damaged file may hold anything.
            if (seq != ++last || (isSealed && seal != rows.GetInt64(5)) || utcMs is < 0 or > 253_402_300_799_999)
                throw Damaged(_path);
            take(new JournalEvent(stream, seq, new LeaderToken(token), type, json,
                DateTimeOffset.FromUnixTimeMilliseconds(utcMs)), seal);
        }
    }

    /// <summary>
    /// Every row, the head over them, and what the file beside the journal says there was. One snapshot: whoever leads
    /// may append meanwhile.
    /// </summary>
    private void CheckAll((long Events, long Token) beside)
    {
        Execute("BEGIN");
        try
        {
            var (events, chain) = (0L, 0L);
            foreach (var stream in StreamNames())
            {
                ReadSealed(stream, 0, (_, seal) =>
                {
                    events++;
                    chain ^= seal;
                });
            }

            if (!IsSealed)
            {
                // Seals that the file's own version denies.
                if (Scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = 'head'") > 0) throw Damaged(_path);
                return;
            }

            if (events != CountEvents() || chain != Scalar("SELECT chain FROM head WHERE id = 1"))
                throw Damaged(_path);
            var token = ReadLease()?.Token ?? 0;
            if (events < beside.Events || token < beside.Token) throw Shortened(beside.Events - events);
        }
        finally
        {
            RollBack();
        }
    }

    /// <summary>In the transaction of who takes the lease: a crash in the middle leaves the old version.</summary>
    private void SealAll()
    {
        var present = ReadLease();
        var rows = new List<(string Stream, long Seq, long Seal)>();
        foreach (var stream in StreamNames())
            ReadSealed(stream, 0, (e, seal) => rows.Add((stream, e.Seq, seal)));
        Execute("ALTER TABLE lease ADD COLUMN seal INTEGER NOT NULL DEFAULT 0");
        Execute("ALTER TABLE events ADD COLUMN seal INTEGER NOT NULL DEFAULT 0");
        Execute(HeadSchema);
        var chain = 0L;
        foreach (var (stream, seq, seal) in rows)
        {
            using var write = Command("UPDATE events SET seal = $seal WHERE stream = $stream AND seq = $seq",
                ("$seal", seal), ("$stream", stream), ("$seq", seq));
            write.ExecuteNonQuery();
            chain ^= seal;
        }

        WriteHead(rows.Count, chain);
        if (present is { } lease) WriteLease(lease.Holder, lease.Token, lease.ExpiresMs);
        Execute($"PRAGMA user_version = {SchemaVersion}");
    }

    private List<string> StreamNames()
    {
        using var read = Command("SELECT DISTINCT stream FROM events ORDER BY stream");
        using var rows = read.ExecuteReader();
        var names = new List<string>();
        while (rows.Read()) names.Add(rows.GetString(0));
        return names;
    }

    private UserException Shortened(long events) => new(ExitCode.Storage,
        $"{_path}: the journal lost {(events > 0 ? $"its newest {events} records" : "a change of its leader")}, as "
        + $"when the file {Path.GetFileName(_path)}-wal beside it is cut or deleted; bring that back, or move "
        + $"{Path.GetFileName(_path)}* out of the folder and go on with --resume from the newest checkpoint");
}
