using Convoy.Shared;

namespace Convoy.Worker.Data;

/// <summary>Refusals of data: one line with file, place, reason and advice.</summary>
internal static class BadData
{
    public static UserException File(string file, string reasonAndAdvice) =>
        new(ExitCode.BadData, $"{file}: {reasonAndAdvice}");

    public static UserException Line(string file, long line, string reasonAndAdvice) =>
        new(ExitCode.BadData, $"{file}:{line}: {reasonAndAdvice}");

    public static UserException Byte(string file, long offset, string reasonAndAdvice) =>
        new(ExitCode.BadData, $"{file}: byte {offset}: {reasonAndAdvice}");

    /// <summary>Opens a file for reading; what keeps it from opening is the user's to mend.</summary>
    public static FileStream Open(string file)
    {
        try
        {
            if (Directory.Exists(file)) throw File(file, "it is a folder; name a file (only text takes folders)");
            var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete,
                1 << 16, FileOptions.SequentialScan);
            if (stream.Length > 0) return stream;
            stream.Dispose();
            throw File(file, "the file is empty; check where it comes from");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw File(file, "there is no such file; check the path in the job, or get it with 'convoy data get'");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw File(file, $"it cannot be read: {e.Message}");
        }
    }
}
