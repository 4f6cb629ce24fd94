using System.Text.Json;
using Convoy.Shared;

namespace Convoy.Coordinator.Api;

/// <summary>state/endpoint.json: where the coordinator of a state folder listens, so that commands find it.</summary>
public sealed record EndpointFile
{
    public const string FileName = "endpoint.json";

    public string Address { get; init; } = "";
    /// <summary>The port speaks TLS only.</summary>
    public bool Tls { get; init; }
    public int Pid { get; init; }
    public DateTimeOffset Started { get; init; }

    /// <summary>Returns null when no coordinator runs on this folder.</summary>
    public static EndpointFile? TryRead(string stateDirectory)
    {
        try
        {
            var bytes = File.ReadAllBytes(Path.Combine(stateDirectory, FileName));
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
    internal void Write(string stateDirectory)
    {
        var path = Path.Combine(stateDirectory, FileName);
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(this, ApiJson.Options));
        File.Move(path + ".new", path, overwrite: true);
    }

    internal static void Remove(string stateDirectory) => File.Delete(Path.Combine(stateDirectory, FileName));
}
