using System.Runtime.CompilerServices;
using System.Text;

namespace Convoy.Simulation.Tests.Scripting;

/// <summary>
/// What a script drives: runs one command and returns what was seen, one fact a line (no blank lines).
/// </summary>
public interface IScriptMachine
{
    IEnumerable<string> Run(ScriptCommand command);
}

/// <summary>
/// Runs a protocol script. A script is a list of blocks with a blank line between them; a block is comment lines
/// (<c># ...</c>), command lines, the line <c>----</c> and the trace that the commands are expected to leave.
/// With CONVOY_REWRITE=1 the expectations are rewritten in the sources instead, to be reviewed as a diff.
/// </summary>
public static class ScriptRunner
{
    private const string Separator = "----";

    /// <summary>
    /// Names of the scripts (without <c>.txt</c>) whose first line starts with <c># </c> and the given word.
    /// </summary>
    public static IEnumerable<string> Names(string subject) =>
        Directory.GetFiles(Folder(), "*.txt")
            .Where(f => File.ReadLines(f).First().StartsWith($"# {subject}", StringComparison.Ordinal))
            .Select(f => Path.GetFileNameWithoutExtension(f)!)
            .Order(StringComparer.Ordinal);

    public static void Check(string name, IScriptMachine machine)
    {
        var path = Path.Combine(Folder(), name + ".txt");
        var script = File.ReadAllText(path).ReplaceLineEndings("\n");
        var actual = Run(script, machine);
        if (Environment.GetEnvironmentVariable("CONVOY_REWRITE") == "1") File.WriteAllText(path, actual);
        else Assert.Equal(script, actual);
    }

    /// <summary>The script with the traces that the machine leaves now.</summary>
    public static string Run(string script, IScriptMachine machine)
    {
        var blocks = script.TrimEnd('\n').Split("\n\n");
        return string.Join("\n\n", blocks.Select(block => RunBlock(block, machine))) + "\n";
    }

    private static string RunBlock(string block, IScriptMachine machine)
    {
        var text = new StringBuilder();
        var trace = new List<string>();
        var ran = false;
        foreach (var line in block.Split('\n').TakeWhile(l => l != Separator))
        {
            text.Append(line).Append('\n');
            if (line.StartsWith('#')) continue;
            trace.AddRange(machine.Run(new ScriptCommand(line)));
            ran = true;
        }

        if (!ran) return text.ToString().TrimEnd('\n');
        text.Append(Separator);
        if (trace.Count == 0) trace.Add("nothing");
        foreach (var line in trace) text.Append('\n').Append(line);
        return text.ToString();
    }

    private static string Folder([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "Scripts");
}
