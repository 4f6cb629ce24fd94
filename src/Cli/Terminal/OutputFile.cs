using System.Text;
using Convoy.Shared;
using Convoy.Shared.Storage;

namespace Convoy.Cli.Terminal;

/// <summary>A file that an option asks for; the old one stays until the new one is whole.</summary>
internal static class OutputFile
{
    public static void Write(string option, string path, string text)
    {
        Try(option, path, full => AtomicFile.Write(RealDisk.Instance, full, Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>Refuses now what <see cref="Write"/> would refuse later; a file that is there stays as it is.</summary>
    public static void Check(string option, string path)
    {
        Try(option, path, full =>
        {
            if (Directory.Exists(full)) throw new IOException("It is a folder.");
            var temporary = full + AtomicFile.TemporarySuffix;
            RealDisk.Instance.Create(temporary).Dispose();
            RealDisk.Instance.DeleteFile(temporary);
        });
    }

    private static void Try(string option, string path, Action<string> write)
    {
        try
        {
            write(Path.GetFullPath(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UserException(ExitCode.Usage, $"{option} {path}: {e.Message} Name a file that can be written.");
        }
    }
}
