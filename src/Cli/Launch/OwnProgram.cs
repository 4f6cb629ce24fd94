using System.Diagnostics;
using System.Reflection;

namespace Convoy.Cli.Launch;

/// <summary>This program, to be started again.</summary>
internal static class OwnProgram
{
    /// <summary>
    /// This process is an executable of our own, or runs one; test hosts that call our commands are neither.
    /// </summary>
    public static bool IsThisProcess => Assembly.GetEntryAssembly() == typeof(OwnProgram).Assembly;

    /// <summary>How to start it with these words.</summary>
    public static ProcessStartInfo With(IEnumerable<string> words)
    {
        // `dotnet run` and the published program start an executable of our own; `dotnet exec` and test hosts do not.
        var host = Environment.ProcessPath;
        var isDotnet = Path.GetFileNameWithoutExtension(host) == "dotnet";
        var own = host is not null && IsThisProcess && !isDotnet;
        var start = new ProcessStartInfo { UseShellExecute = false, FileName = own || isDotnet ? host! : "dotnet" };
        if (!own)
        {
            start.ArgumentList.Add("exec");
            start.ArgumentList.Add(typeof(OwnProgram).Assembly.Location);
        }

        foreach (var word in words) start.ArgumentList.Add(word);
        return start;
    }
}
