using System.Globalization;
using System.Text;
using System.Text.Json;
using Convoy.Shared;
using Convoy.Shared.Storage;

namespace Convoy.Cli.Launch;

/// <summary>
/// Where a run keeps its journal, checkpoints, logs and the coordinator's address. Without <c>--state</c> it is
/// <c>.convoy/JOB-N</c> with a new N for each run. A lock file, held by the operating system and so gone with the
/// process however that dies, keeps a second launcher out.
/// </summary>
internal sealed class StateFolder : IDisposable
{
    public const string DefaultRoot = ".convoy";
    private const string RunFile = "run.json";
    private const string LockFile = "lock";
    // A coordinator started by hand leaves this and no run.json.
    private const string JournalFile = "journal.db";
    private const string ResultFile = "result.json";

    private readonly FileStream _lock;

    private StateFolder(string path, FileStream held)
    {
        Root = path;
        _lock = held;
    }

    public string Root { get; }
    public string Logs => Path.Combine(Root, "logs");

    /// <summary>The folder for one <c>train</c>, locked.</summary>
    /// <param name="given">What <c>--state</c> says, or null.</param>
    public static StateFolder Open(string? given, string job, bool resume)
    {
        if (given is null && !resume) return OpenNew(job);
        var path = Path.GetFullPath(given ?? Newest(job));
        var old = IsRun(path);
        if (!old && resume)
            throw new UserException(ExitCode.Usage, $"state folder {path} holds no run: nothing to resume");
        // Looked at first: a run that is going on is not one to resume.
        var folder = Lock(path) ?? throw new UserException(ExitCode.Cluster,
            $"state folder {path} is in use by another running train or coordinator");
        if (!old || resume) return folder;
        folder.Dispose();
        throw new UserException(ExitCode.Usage, $"state folder {path} holds an old run: " +
            "add --resume to go on with it, or name another folder with --state");
    }

    /// <summary>Marks the folder as used by a run.</summary>
    public void WriteRun(string job) =>
        Write(RunFile, JsonSerializer.Serialize(new { job, pid = Environment.ProcessId }) + "\n");

    public void WriteResult(string json) => Write(ResultFile, json + "\n");

    private void Write(string file, string text)
    {
        var path = Path.Combine(Root, file);
        try
        {
            AtomicFile.Write(RealDisk.Instance, path, Encoding.UTF8.GetBytes(text));
        }
        catch (IOException e)
        {
            throw StorageFault.Of(path, e);
        }
    }

    /// <summary>The final JSON line of the run that ended on a state folder, or null.</summary>
    public static string? ReadResult(string folder)
    {
        var path = Path.Combine(folder, ResultFile);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : null;
    }

    /// <summary>The newest folder under the default root, of any job, or null.</summary>
    public static string? NewestOfAny() => !Directory.Exists(DefaultRoot) ? null
        : Directory.EnumerateDirectories(DefaultRoot).Where(IsRun)
            .OrderByDescending(folder => File.GetLastWriteTimeUtc(Path.Combine(folder, JournalFile))).FirstOrDefault();

    private static bool IsRun(string folder) =>
        File.Exists(Path.Combine(folder, RunFile)) || File.Exists(Path.Combine(folder, JournalFile));

    private static StateFolder OpenNew(string job)
    {
        var last = Numbers(job).DefaultIfEmpty(0).Max();
        // Two launchers may look at the same moment: the lock decides, the other takes the next number.
        for (var n = last + 1; ; n++)
        {
            var path = Path.GetFullPath(Path.Combine(DefaultRoot, Name(job, n)));
            if (IsRun(path)) continue;
            if (Lock(path) is { } state) return state;
        }
    }

    private static string Newest(string job)
    {
        var numbers = Numbers(job).ToList();
        return numbers.Count > 0
            ? Path.Combine(DefaultRoot, Name(job, numbers.Max()))
            : throw new UserException(ExitCode.Usage,
                $"nothing to resume: no run of job '{job}' under {DefaultRoot}; start it without --resume");
    }

    private static string Name(string job, int n) => string.Create(CultureInfo.InvariantCulture, $"{job}-{n}");

    private static IEnumerable<int> Numbers(string job)
    {
        if (!Directory.Exists(DefaultRoot)) yield break;
        foreach (var folder in Directory.EnumerateDirectories(DefaultRoot, $"{job}-*"))
        {
            var tail = Path.GetFileName(folder)[(job.Length + 1)..];
            if (int.TryParse(tail, NumberStyles.None, CultureInfo.InvariantCulture, out var n)
                && IsRun(folder))
                yield return n;
        }
    }

    private static StateFolder? Lock(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            var held = new FileStream(Path.Combine(path, LockFile), FileMode.OpenOrCreate, FileAccess.ReadWrite,
                FileShare.None);
            return new StateFolder(path, held);
        }
        catch (IOException e) when (StorageFault.IsHeld(e))
        {
            return null; // Held by another process.
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            throw StorageFault.Of(path, refused);
        }
    }

    public void Dispose() => _lock.Dispose();
}
