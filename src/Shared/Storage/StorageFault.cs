namespace Convoy.Shared.Storage;

/// <summary>
/// What keeps a file of a state folder from being used, as one line: which file, what is wrong, how much room there is,
/// what to do. The exit code is <see cref="ExitCode.Storage"/>.
/// </summary>
public static class StorageFault
{
    // Error numbers of Linux and macOS where they differ; Windows puts its own into the low half.
    private const int Windows = unchecked((int)0x80070000);
    private static readonly int[] Full = [28, 122, 69, Windows | 0x70, Windows | 0x27];
    private static readonly int[] ReadOnly = [30, Windows | 0x13];
    private static readonly int[] Held = [11, 35, Windows | 0x20, Windows | 0x21];

    /// <summary>The disk, or this user's part of it, has no room.</summary>
    public static bool IsFull(Exception e) => e is IOException && Array.IndexOf(Full, e.HResult) >= 0;

    /// <summary>Another process has the file open for itself.</summary>
    public static bool IsHeld(Exception e) => e is IOException && Array.IndexOf(Held, e.HResult) >= 0;

    public static UserException Of(string path, Exception e) => new(ExitCode.Storage, Text(path, e));

    /// <param name="path">The file or folder that was to be used.</param>
    /// <param name="e">What the system said.</param>
    public static string Text(string path, Exception e) => e switch
    {
        _ when IsFull(e) => FullText(path) + ResumeAdvice,
        IOException when Array.IndexOf(ReadOnly, e.HResult) >= 0 => ReadOnlyText(path),
        UnauthorizedAccessException or IOException { InnerException: UnauthorizedAccessException } =>
            $"{path}: this user may not write there; change the rights of the file and its folder, or use another one",
        FileNotFoundException or DirectoryNotFoundException => GoneText(path),
        _ => $"{path}: it cannot be used: {e.Message.ReplaceLineEndings(" ")}",
    };

    /// <param name="path">As for <see cref="Text"/>.</param>
    /// <param name="bytesNeeded">What was to be written, where it is known.</param>
    public static string FullText(string path, long bytesNeeded = 0) =>
        $"{path}: the disk is full ({Free(path)}{(bytesNeeded > 0 ? $", {Size(bytesNeeded)} needed" : "")}); make room";

    public const string ResumeAdvice = ", then go on with --resume";

    public static string ReadOnlyText(string path) =>
        $"{path}: the disk is read-only; make it writable, or use another folder";

    public static string GoneText(string path) =>
        $"{path}: it is not there: its folder was deleted, moved or unmounted, or cannot be made; bring it back"
        + ResumeAdvice;

    private static string Free(string path)
    {
        try
        {
            var at = Path.GetFullPath(path);
            while (!Directory.Exists(at) && Path.GetDirectoryName(at) is { } parent) at = parent;
            return $"{Size(new DriveInfo(at).AvailableFreeSpace)} free";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "what is free cannot be told";
        }
    }

    private static string Size(long bytes) => bytes switch
    {
        < 10_000 => FormattableString.Invariant($"{bytes} bytes"),
        < 10_000_000 => FormattableString.Invariant($"{bytes / 1_000} KB"),
        < 10_000_000_000 => FormattableString.Invariant($"{bytes / 1_000_000} MB"),
        _ => FormattableString.Invariant($"{bytes / 1_000_000_000} GB"),
    };
}
