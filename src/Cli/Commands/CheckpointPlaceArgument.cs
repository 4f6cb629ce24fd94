using System.CommandLine;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Storage;

namespace Convoy.Cli.Commands;

/// <summary>DIR of the <c>ckpt</c> commands: a state folder, its checkpoints folder, or one checkpoint.</summary>
internal static class CheckpointPlaceArgument
{
    public static Argument<string> Create() => new("DIR")
    {
        Description = "State folder, its checkpoints folder, or one checkpoint.",
    };

    public static CheckpointStore Store(string folder) => new(Root(folder), RealDisk.Instance);

    public static IReadOnlyList<CheckpointPlace> Places(string folder)
    {
        var full = Path.GetFullPath(folder);
        if (!Directory.Exists(full)) throw new UserException(ExitCode.Usage, $"there is no folder {full}");
        var places = Store(full).List();
        if (!File.Exists(Path.Combine(full, Manifest.FileName))) return places;
        return [.. places.Where(place => Path.GetFullPath(place.Path) == full)];
    }

    private static string Root(string folder)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(Path.Combine(full, Manifest.FileName))) return Path.GetDirectoryName(full)!;
        var inside = Path.Combine(full, "checkpoints");
        return Directory.Exists(inside) ? inside : full;
    }
}
