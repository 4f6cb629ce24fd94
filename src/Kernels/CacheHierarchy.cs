using System.Globalization;

namespace Convoy.Kernels;

/// <summary>A level of memory as one core sees it.</summary>
/// <param name="Name">L1, L2, L3 or memory.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="LatencyNs">Nanoseconds until a line of it arrives.</param>
/// <param name="GigaBytesPerS">10^9 bytes a second that stream from it.</param>
public sealed record CacheLevel(string Name, long Bytes, double LatencyNs, double GigaBytesPerS);

/// <summary>
/// Caches of a core, the nearest first, and the memory behind them. Sizes come from the system where it tells them;
/// times are typical ones of servers of today, for estimates.
/// </summary>
/// <param name="Levels">Nearest first; the last one is the memory.</param>
public sealed record CacheHierarchy(IReadOnlyList<CacheLevel> Levels)
{
    /// <summary>Bytes that move together.</summary>
    public const int LineBytes = 64;

    private const string Folder = "/sys/devices/system/cpu/cpu0/cache";

    /// <summary>Sizes of a middling server, for machines that do not tell theirs.</summary>
    public static readonly CacheHierarchy Typical = Of(32 << 10, 512 << 10, 16 << 20);

    private static readonly Lazy<CacheHierarchy> Found = new(() => OfFolder(Folder));

    /// <summary>That of this machine.</summary>
    public static CacheHierarchy OfThisMachine => Found.Value;

    /// <summary>The memory behind the caches.</summary>
    public CacheLevel Memory => Levels[^1];

    /// <param name="l1">Bytes of the first level for data.</param>
    /// <param name="l2">Bytes of the second level.</param>
    /// <param name="l3">Bytes of the third level; 0: there is none.</param>
    public static CacheHierarchy Of(long l1, long l2, long l3) => new(
    [
        new("L1", l1, 1.2, 200), new("L2", l2, 4, 80), .. l3 > 0 ? [new CacheLevel("L3", l3, 14, 35)] : (CacheLevel[])[],
        new("memory", long.MaxValue, 90, 15),
    ]);

    /// <summary>The nearest level that has room for so many bytes.</summary>
    public CacheLevel Holding(long bytes)
    {
        foreach (var level in Levels)
            if (bytes <= level.Bytes) return level;
        return Memory;
    }

    /// <summary>What the folder of a processor's caches tells; <see cref="Typical"/> where it tells nothing or makes no
    /// sense, as on some virtual machines.</summary>
    internal static CacheHierarchy OfFolder(string folder)
    {
        var sizes = new long[4];
        try
        {
            // Linux alone tells it in files; elsewhere the folder is not there.
            if (!Directory.Exists(folder)) return Typical;
            foreach (var index in Directory.GetDirectories(folder, "index*"))
            {
                var level = int.Parse(Read(index, "level"), CultureInfo.InvariantCulture);
                if (level is >= 1 and <= 3 && Read(index, "type") != "Instruction") sizes[level] = SizeOf(Read(index, "size"));
            }
        }
        catch (Exception unreadable) when (
            unreadable is IOException or UnauthorizedAccessException or FormatException or OverflowException)
        {
            return Typical;
        }

        return sizes[1] > 0 && sizes[2] > 0 ? Of(sizes[1], sizes[2], sizes[3]) : Typical;
    }

    private static string Read(string index, string file) => File.ReadAllText(Path.Combine(index, file)).Trim();

    private static long SizeOf(string text)
    {
        var unit = text.EndsWith('K') ? 1L << 10 : text.EndsWith('M') ? 1L << 20 : 1L;
        return checked(unit * long.Parse(unit == 1 ? text : text[..^1], CultureInfo.InvariantCulture));
    }
}
