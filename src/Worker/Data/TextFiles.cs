using System.IO.Enumeration;

namespace Convoy.Worker.Data;

/// <summary>
/// The files that the paths of a text job name: a file itself, all text files under a folder, or those that a pattern
/// matches (<c>docs/*.md</c>, <c>src/**/*.cs</c>). Folders and patterns leave out hidden names, build output (bin, obj,
/// node_modules) and files with zero bytes. Order: that of the job, within a folder or pattern the ordinal order of
/// paths; a file named twice counts once.
/// </summary>
internal static class TextFiles
{
    private const int FilesMax = 1_000_000;
    private static readonly string[] LeftOut = ["bin", "obj", "node_modules"];

    public static IReadOnlyList<string> Find(IReadOnlyList<string> paths)
    {
        var files = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            var found = false;
            foreach (var file in Expand(path))
            {
                found = true;
                if (seen.Add(file)) files.Add(file);
            }

            if (!found) throw BadData.File(path, "no text file is found there; check the path in the job");
            if (files.Count > FilesMax) throw BadData.File(path, $"more than {FilesMax} files; name fewer");
        }

        return files;
    }

    private static IEnumerable<string> Expand(string path)
    {
        if (HasWildcard(path))
        {
            var folder = Path.GetDirectoryName(path[..path.IndexOfAny(['*', '?'])])!;
            var pattern = Path.GetRelativePath(folder, path).Replace('\\', '/').Split('/');
            return Directory.Exists(folder)
                ? Walk(folder).Where(file => Matches(Relative(folder, file).Split('/'), pattern)) : [];
        }

        return Directory.Exists(path) ? Walk(path) : [path];
    }

    private static bool HasWildcard(string path) => path.AsSpan().IndexOfAny('*', '?') >= 0;

    private static string Relative(string folder, string file) => Path.GetRelativePath(folder, file).Replace('\\', '/');

    private static List<string> Walk(string folder)
    {
        var files = new List<string>();
        Collect(new DirectoryInfo(folder), files);
        files.Sort((a, b) => string.CompareOrdinal(Relative(folder, a), Relative(folder, b)));
        return files;
    }

    private static void Collect(DirectoryInfo folder, List<string> files)
    {
        try
        {
            foreach (var entry in folder.EnumerateFileSystemInfos())
            {
                // Links are not followed: they could lead in circles.
                if (entry.Name.StartsWith('.') || entry.LinkTarget is not null) continue;
                if (entry is DirectoryInfo inner)
                {
                    if (!LeftOut.Contains(inner.Name, StringComparer.Ordinal)) Collect(inner, files);
                }
                else if (((FileInfo)entry).Length > 0 && IsText(entry.FullName))
                {
                    files.Add(entry.FullName);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw BadData.File(folder.FullName, $"the folder cannot be read: {e.Message}");
        }
    }

    private static bool IsText(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete,
            1);
        Span<byte> start = stackalloc byte[4_096];
        return !start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)].Contains((byte)0);
    }

    /// <summary>Part by part; ** stands for any number of folders, also none.</summary>
    internal static bool Matches(ReadOnlySpan<string> path, ReadOnlySpan<string> pattern)
    {
        if (pattern.IsEmpty) return path.IsEmpty;
        if (pattern[0] == "**")
        {
            for (var skip = 0; skip <= path.Length; skip++)
                if (Matches(path[skip..], pattern[1..])) return true;
            return false;
        }

        return !path.IsEmpty && FileSystemName.MatchesSimpleExpression(pattern[0], path[0], ignoreCase: false)
            && Matches(path[1..], pattern[1..]);
    }
}
