using System.Text.Json;
using Convoy.Coordinator.Recovery;
using Convoy.Shared;
using Convoy.Shared.Storage;

namespace Convoy.Coordinator.Api;

/// <summary>state/endpoint.json: where the coordinator of a state folder listens, so that commands find it.</summary>
public sealed record EndpointFile
{
    public const string FileName = "endpoint.json";
    private const string StandbyPrefix = "standby-";

    public string Address { get; init; } = "";
    /// <summary>The port speaks TLS only.</summary>
    public bool Tls { get; init; }
    public int Pid { get; init; }
    /// <summary>When it was written, after its process began.</summary>
    public DateTimeOffset Started { get; init; }
    /// <summary>Machine of the process.</summary>
    public string Host { get; init; } = "";
    /// <summary>Where other machines find it; empty: at <see cref="Address"/>.</summary>
    public string Advertised { get; init; } = "";

    /// <summary>Returns null when no coordinator runs on this folder.</summary>
    public static EndpointFile? TryRead(string stateDirectory)
    {
        return TryReadFile(Path.Combine(stateDirectory, FileName));
    }

    /// <summary>
    /// Where the coordinators that stand by listen, in the order of their addresses. One that was killed leaves its
    /// file behind: it does not count.
    /// </summary>
    public static IReadOnlyList<EndpointFile> Standbys(string stateDirectory) =>
        [.. StandbyFiles(stateDirectory).Where(e => !e.IsGone)];

    /// <summary>As <see cref="Standbys"/>, with the last beat of each.</summary>
    internal static IReadOnlyList<(EndpointFile File, DateTime Beat)> StandbyBeats(string stateDirectory) =>
        [.. Standbys(stateDirectory).Select(
            e => (e, File.GetLastWriteTimeUtc(Path.Combine(stateDirectory, e.StandbyFile))))];

    /// <summary>Ends a process of this machine, another one, that is known to lock the journal.</summary>
    internal bool TryEndWriter() =>
        !IsOwn && Host == Environment.MachineName && JournalWriter.Is(Pid) == true
        && ProcessPresence.TryEnd(Host, Pid, Started);

    /// <summary>Of this process.</summary>
    internal bool IsOwn => Pid == Environment.ProcessId && Host == Environment.MachineName;

    private bool IsGone => ProcessPresence.IsGone(Host, Pid, Started);

    private static IReadOnlyList<EndpointFile> StandbyFiles(string stateDirectory)
    {
        try
        {
            return [.. Directory.EnumerateFiles(stateDirectory, StandbyPrefix + "*.json").Select(TryReadFile)
                .OfType<EndpointFile>().OrderBy(e => e.Address, StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // no folder: nobody stands by on it
        }
    }

    /// <summary>Removes the files of standbys whose processes are gone.</summary>
    internal static void RemoveGoneStandbys(string stateDirectory)
    {
        foreach (var gone in StandbyFiles(stateDirectory).Where(e => e.IsGone))
        {
            try
            {
                gone.RemoveStandby(stateDirectory);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It does not count, there or not.
            }
        }
    }

    private static EndpointFile? TryReadFile(string path)
    {
        try
        {
            var bytes = File.ReadAllBytes(path);
            return JsonSerializer.Deserialize<EndpointFile>(bytes, ApiJson.Options);
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            // No folder, no file, or a file that is not ours: either way nobody can be found through it.
            return null;
        }
    }

    public static EndpointFile Read(string stateDirectory) =>
        TryRead(stateDirectory) ?? throw new UserException(ExitCode.Cluster,
            $"no job runs on {stateDirectory} (no readable {FileName} there): give --state DIR or --to HOST:PORT");

    /// <summary>Written beside and renamed: a reader sees the old file or the new one, never a part.</summary>
    internal void Write(string stateDirectory, bool standby = false)
    {
        var path = Path.Combine(stateDirectory, standby ? StandbyFile : FileName);
        try
        {
            File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(this, ApiJson.Options));
            File.Move(path + ".new", path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFault.Of(path, e);
        }
    }

    /// <summary>
    /// The beat of a standby: its file gets another time, which needs no room on a full disk. One that somebody removed
    /// is written again.
    /// </summary>
    internal void BeatStandby(string stateDirectory, DateTimeOffset now)
    {
        var path = Path.Combine(stateDirectory, StandbyFile);
        if (!File.Exists(path))
        {
            Write(stateDirectory, standby: true);
            return;
        }

        try
        {
            File.SetLastWriteTimeUtc(path, now.UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It counts for nobody then; the lease alone says who leads.
        }
    }

    private string StandbyFile => StandbyName(Host, Pid);

    /// <summary>Processes of two machines, or containers, may have the same number.</summary>
    private static string StandbyName(string host, int pid)
    {
        var name = new string([.. host.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_')]);
        return FormattableString.Invariant($"{StandbyPrefix}{name}-{pid}.json");
    }

    /// <summary>Removes what this process wrote; the file of another leader stays.</summary>
    internal static void Remove(string stateDirectory, int pid)
    {
        try
        {
            File.Delete(Path.Combine(stateDirectory, StandbyName(Environment.MachineName, pid)));
            if (TryRead(stateDirectory)?.Pid == pid) File.Delete(Path.Combine(stateDirectory, FileName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone, or cannot be written any more: nobody is misled for longer than one refused dial.
        }
    }

    internal void RemoveStandby(string stateDirectory) => File.Delete(Path.Combine(stateDirectory, StandbyFile));
}
