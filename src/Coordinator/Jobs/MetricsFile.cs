using System.Text;
using System.Text.Json;
using Convoy.Coordinator.Api;
using Convoy.Shared.Ids;
using Convoy.Shared.Storage;
using Convoy.Shared.Threading;

namespace Convoy.Coordinator.Jobs;

/// <summary>
/// Rows that outlive their coordinator, as a file does. It belongs to who began it last: the file of an earlier leader
/// was replaced under it, and what that one still writes reaches nobody.
/// </summary>
internal sealed class MetricsMemory
{
    public List<StepView> Rows { get; } = [];
    public MetricsFile? Owner { get; set; }

    /// <summary>As on a full disk: nothing can be flushed.</summary>
    public bool IsFull { get; set; }
}

/// <summary>
/// state/metrics.jsonl: one line for each committed step, in order, each step once (S5). The newest rows are kept in
/// memory for the API; the simulator keeps them there only. Thread-safe.
/// </summary>
/// <param name="memory">Instead of a file.</param>
internal sealed class MetricsFile(MetricsMemory? memory = null) : IDisposable
{
    public const string FileName = "metrics.jsonl";
    private const int RowsMax = 100_000;
    private const int ChunkBytes = 64 << 10;

    private static readonly JsonSerializerOptions Options = new(ApiJson.Options) { WriteIndented = false };

    private readonly OrderedLock _lock = new("the rows of a job", LockRank.Storage);
    private readonly List<StepView> _rows = [];
    private readonly List<StepView> _unflushed = [];
    private FileStream? _file;
    private string _path = "";

    /// <summary>
    /// Starts a job: rows after <paramref name="start"/>, which an earlier run reported, will come again.
    /// </summary>
    public void Begin(string stateDirectory, StepNumber start)
    {
        using (_lock.Enter())
        {
            _path = Path.Combine(stateDirectory, FileName);
            Begin_NeedsLock(start);
        }
    }

    /// <summary>Ends a job: steps after its last, whose state was lost and nobody does again, keep no row.</summary>
    public void End(StepNumber last)
    {
        using (_lock.Enter())
        {
            if (_rows.Count == 0 || _rows[^1].Step <= last.Value) return;
            Flush_NeedsLock();
            Begin_NeedsLock(last);
        }
    }

    private void Begin_NeedsLock(StepNumber start)
    {
        _file?.Dispose();
        _rows.Clear();
        if (memory is null)
        {
            Explained(() => Replace(start));
            return;
        }

        _unflushed.Clear();
        memory.Owner = this;
        memory.Rows.RemoveAll(row => row.Step > start.Value);
        _rows.AddRange(memory.Rows);
    }

    // Another file takes its name (what a leader of before still writes into its own reaches nobody), copied by the
    // system: a take-over may not wait until the rows of millions of steps are read and written again.
    private void Replace(StepNumber start)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        var temporary = _path + ".new";
        if (start > StepNumber.Zero && File.Exists(_path)) File.Copy(_path, temporary, overwrite: true);
        else File.Create(temporary).Dispose();
        using (var copy = new FileStream(temporary, FileMode.Open, FileAccess.ReadWrite))
        {
            _rows.AddRange(Newest(copy, start, RowsMax, out var bytes));
            copy.SetLength(bytes);
        }

        File.Move(temporary, _path, overwrite: true);
        _file = new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Says which file, and what to do.</summary>
    private void Explained(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(StorageFault.Text(_path, e), e);
        }
    }

    /// <summary>Goes on with what a leader before this one left.</summary>
    /// <returns>Newest step that has its row; 0: none.</returns>
    public StepNumber GoOn(string stateDirectory)
    {
        Begin(stateDirectory, new StepNumber(long.MaxValue));
        return Last;
    }

    /// <summary>Newest step that has its row; 0: none.</summary>
    public StepNumber Last
    {
        get
        {
            using (_lock.Enter()) return new StepNumber(_rows.Count == 0 ? 0 : _rows[^1].Step);
        }
    }

    /// <summary>
    /// The newest rows that a run left on its state folder, oldest first; none where there is no file.
    /// </summary>
    public static IReadOnlyList<StepView> Stored(string stateDirectory, int rowsMax)
    {
        var path = Path.Combine(stateDirectory, FileName);
        if (!File.Exists(path)) return [];
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return Newest(file, new StepNumber(long.MaxValue), rowsMax, out _);
    }

    /// <summary>The newest rows up to a step, oldest first.</summary>
    /// <param name="file">One row a line.</param>
    /// <param name="last">The step.</param>
    /// <param name="rowsMax">So many at most.</param>
    /// <param name="bytes">Where the newest of them ends. A line behind it that a crash tore comes again.</param>
    private static List<StepView> Newest(FileStream file, StepNumber last, int rowsMax, out long bytes)
    {
        var rows = new List<StepView>();
        bytes = 0;
        foreach (var (at, line) in LinesBackwards(file))
        {
            var row = RowOf(line);
            if (rows.Count == 0 && (row is null || row.Step > last.Value)) continue;
            if (row is null) break;
            if (rows.Count == 0) bytes = at + line.Length;
            rows.Add(row);
            if (rows.Count == rowsMax) break;
        }

        rows.Reverse();
        return rows;
    }

    /// <summary>
    /// From the last to the first, each with the place where it begins and the end of line that it has.
    /// </summary>
    private static IEnumerable<(long At, byte[] Line)> LinesBackwards(FileStream file)
    {
        byte[] rest = [];
        for (var left = file.Length; left > 0;)
        {
            var bytes = (int)Math.Min(ChunkBytes, left);
            var chunk = new byte[bytes + rest.Length];
            left -= bytes;
            file.Position = left;
            file.ReadExactly(chunk, 0, bytes);
            rest.CopyTo(chunk, bytes);
            var end = chunk.Length;
            while (chunk.AsSpan(0, end - 1).LastIndexOf((byte)'\n') is var before and >= 0)
            {
                yield return (left + before + 1, chunk[(before + 1)..end]);
                end = before + 1;
            }

            rest = chunk[..end];
            if (rest.Length <= ChunkBytes) continue;
            yield return (left, rest); // no line of ours
            rest = [];
        }

        if (rest.Length > 0) yield return (0, rest);
    }

    /// <summary>Null: this is not a whole row.</summary>
    private static StepView? RowOf(byte[] line)
    {
        if (line[^1] != '\n') return null;
        try
        {
            return JsonSerializer.Deserialize<StepView>(line, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Append(StepView row)
    {
        using (_lock.Enter())
        {
            _rows.Add(row);
            if (memory is not null) _unflushed.Add(row);
            if (_rows.Count > RowsMax) _rows.RemoveRange(0, RowsMax / 10);
            if (_file is not null) Explained(() => _file.Write(Line(row)));
        }
    }

    /// <summary>Hands what was written to the operating system, so that readers see it.</summary>
    public void Flush()
    {
        using (_lock.Enter()) Flush_NeedsLock();
    }

    private void Flush_NeedsLock()
    {
        if (memory is { IsFull: true } && _unflushed.Count > 0) throw new IOException("the disk of the rows is full");
        if (_file is not null) Explained(_file.Flush);
        if (memory?.Owner == this) memory.Rows.AddRange(_unflushed);
        _unflushed.Clear();
    }

    public StepsPage Read(long from, int rowsMax = 10_000)
    {
        using (_lock.Enter())
        {
            var first = _rows.FindIndex(r => r.Step >= from);
            var rows = first < 0 ? [] : _rows.GetRange(first, Math.Min(rowsMax, _rows.Count - first));
            return new StepsPage { Rows = rows, Next = rows.Count == 0 ? from : rows[^1].Step + 1 };
        }
    }

    public void Dispose()
    {
        using (_lock.Enter())
        {
            try
            {
                _file?.Dispose();
            }
            catch (IOException)
            {
                // A disk that is full or gone was reported by the flush before; the rows come again with a resume.
            }

            _file = null;
        }
    }

    private static byte[] Line(StepView row) => Encoding.UTF8.GetBytes(JsonSerializer.Serialize(row, Options) + "\n");
}
