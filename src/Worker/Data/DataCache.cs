using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Convoy.Worker.Data;

/// <summary>
/// What has to be made from source files before it can be mapped: unpacked IDX, parsed CSV, many texts in one. Small
/// sets are made in memory; large ones once into a file of the user's cache folder, which every worker of the machine
/// maps. A cache file is named by a hash of what it was made from (paths, sizes, times, options), so a changed source
/// makes another one. It appears by one rename; the oldest go when there are too many.
/// </summary>
internal sealed class DataCache(string folder, long memoryBytesMax)
{
    private const int FilesMax = 16;
    private const string PartSuffix = ".part";

    public static readonly DataCache User = new(UserFolder(), 16 << 20);

    /// <param name="what">Kind and version of the making, and its options.</param>
    /// <param name="sources">Files it is made from.</param>
    /// <param name="bytesExpected">About the size of the result.</param>
    /// <param name="make">Writes the result.</param>
    public DataView Get(string what, IReadOnlyList<string> sources, long bytesExpected, Action<Stream> make)
    {
        if (bytesExpected <= memoryBytesMax)
        {
            try
            {
                // Of the expected size at once: a stream that doubles leaves several times the data behind.
                var memory = new MemoryStream(checked((int)bytesExpected));
                make(memory);
                return new DataView(memory.GetBuffer(), (int)memory.Length);
            }
            catch (IOException e)
            {
                // A gzip file whose end lies about its content grows past what memory streams hold.
                throw BadData.File(sources[0], $"it cannot be read: {e.Message}");
            }
        }

        var path = Path.Combine(folder, KeyOf(what, sources) + ".bin");
        if (!File.Exists(path)) Make(path, make);
        return DataView.Map(path);
    }

    private void Make(string path, Action<Stream> make)
    {
        try
        {
            Directory.CreateDirectory(folder);
            Sweep();
            var part = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}{PartSuffix}");
            try
            {
                // Nobody else may open it: that is how others see that its maker lives.
                using (var stream = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None,
                    1 << 20)) make(stream);
                File.Move(part, path, overwrite: true);
            }
            finally
            {
                File.Delete(part);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw BadData.File(path,
                $"the data cache cannot be written: {e.Message}; make room or point CONVOY_CACHE at another folder");
        }
    }

    // Parts whose maker was killed, and the oldest results beyond the bound.
    private void Sweep()
    {
        foreach (var part in Directory.GetFiles(folder, "*" + PartSuffix))
        {
            try
            {
                using (new FileStream(part, FileMode.Open, FileAccess.Write, FileShare.None)) { }
                File.Delete(part);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Its maker is at work.
            }
        }

        var newestFirst = new DirectoryInfo(folder).GetFiles("*.bin").OrderByDescending(f => f.LastWriteTimeUtc);
        foreach (var old in newestFirst.Skip(FilesMax - 1))
        {
            try
            {
                old.Delete();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Mapped by somebody on a system that then keeps it; it goes another time.
            }
        }
    }

    private static string KeyOf(string what, IReadOnlyList<string> sources)
    {
        var key = new StringBuilder(what);
        foreach (var source in sources)
        {
            var file = new FileInfo(source);
            key.Append('\n').Append(file.FullName).Append('\n').Append(file.Exists ? file.Length : -1);
            key.Append('\n').Append(file.LastWriteTimeUtc.Ticks);
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key.ToString())).AsSpan(0, 16));
    }

    private static string UserFolder()
    {
        if (Environment.GetEnvironmentVariable("CONVOY_CACHE") is { Length: > 0 } chosen)
            return Path.GetFullPath(chosen);
        if (OperatingSystem.IsWindows())
            return Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "convoy",
                "cache");
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache)
            return Path.Combine(cache, "convoy");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length > 0 ? Path.Combine(home, ".cache", "convoy")
            : Path.Combine(Path.GetTempPath(), "convoy-cache");
    }
}
