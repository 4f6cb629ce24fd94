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
            _file?.Dispose();
            _rows.Clear();
            if (memory is not null)
            {
                _unflushed.Clear();
                memory.Owner = this;
                memory.Rows.RemoveAll(row => row.Step > start.Value);
                _rows.AddRange(memory.Rows);
                return;
            }

            _path = Path.Combine(stateDirectory, FileName);
            Explained(() => Replace(stateDirectory, start));
        }
    }

    private void Replace(string stateDirectory, StepNumber start)
    {
        Directory.CreateDirectory(stateDirectory);
        if (start > StepNumber.Zero && File.Exists(_path)) ReadUpTo(_path, start);
        var temporary = _path + ".new";
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            foreach (var row in _rows) file.Write(Line(row));
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
        return File.Exists(path) ? [.. Lines(path).TakeLast(rowsMax)] : [];
    }

    private void ReadUpTo(string path, StepNumber start) =>
        _rows.AddRange(Lines(path).TakeWhile(row => row.Step <= start.Value));

    private static IEnumerable<StepView> Lines(string path)
    {
        foreach (var line in File.ReadLines(path))
        {
            StepView? row;
            try
            {
                row = JsonSerializer.Deserialize<StepView>(line, Options);
            }
            catch (JsonException)
            {
                // A crash tore the last line; the step is redone and reported again.
                yield break;
            }

            if (row is null) yield break;
            yield return row;
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
        using (_lock.Enter())
        {
            if (_file is not null) Explained(_file.Flush);
            if (memory?.Owner == this) memory.Rows.AddRange(_unflushed);
            _unflushed.Clear();
        }
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
