using System.Text;
using Convoy.Shared;
using Convoy.Shared.Storage;

namespace Convoy.Cli.Terminal;

/// <summary>A file that an option asks for; the old one stays until the new one is whole.</summary>
internal static class OutputFile
{
    public static void Write(string option, string path, string text)
    {
        try
        {
            AtomicFile.Write(RealDisk.Instance, Path.GetFullPath(path), Encoding.UTF8.GetBytes(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UserException(ExitCode.Usage, $"{option} {path}: {e.Message} Name a file that can be written.");
        }
    }
}
