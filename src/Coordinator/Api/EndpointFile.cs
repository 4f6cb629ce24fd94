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
                RemoveStandby(stateDirectory, gone.Pid);
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
        var path = Path.Combine(stateDirectory, standby ? StandbyName(Pid) : FileName);
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

    /// <summary>A standby whose file somebody removed writes it again.</summary>
    internal void KeepStandby(string stateDirectory)
    {
        if (!File.Exists(Path.Combine(stateDirectory, StandbyName(Pid)))) Write(stateDirectory, standby: true);
    }

    private static string StandbyName(int pid) => FormattableString.Invariant($"{StandbyPrefix}{pid}.json");

    /// <summary>Removes what this process wrote; the file of another leader stays.</summary>
    internal static void Remove(string stateDirectory, int pid)
    {
        try
        {
            RemoveStandby(stateDirectory, pid);
            if (TryRead(stateDirectory)?.Pid == pid) File.Delete(Path.Combine(stateDirectory, FileName));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The folder is gone, or cannot be written any more: nobody is misled for longer than one refused dial.
        }
    }

    internal static void RemoveStandby(string stateDirectory, int pid) =>
        File.Delete(Path.Combine(stateDirectory, StandbyName(pid)));
}
