using System.CommandLine;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>Prints the logs of a run's processes; of a distant coordinator, its last events.</summary>
internal sealed class LogsCommand : CliCommand
{
    private readonly Target _target = new();
    private readonly Option<string?> _worker = new("--worker")
    {
        Description = "Only the log of this process, such as w0.",
        HelpName = "NAME",
    };
    private readonly Option<int> _lines = new("--lines", "-n")
    {
        Description = "Last lines of each log.",
        DefaultValueFactory = _ => 50,
    };

    public LogsCommand() : base("logs", "Print the logs of a run.",
        "convoy logs", "convoy logs --worker w1 -n 200", "convoy logs --to 127.0.0.1:7070")
    {
        _target.AddTo(this);
        Add(_worker);
        Add(_lines);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var lines = _target.Folder(arguments) is { } folder
            ? FromFiles(folder, arguments.GetValue(_worker), arguments.GetValue(_lines))
            : await FromEventsAsync(arguments, context, cancel);
        foreach (var (source, text) in lines) context.Line($"{source,-12} {text}");
        context.Result(new { Lines = lines.Select(line => new { line.Source, line.Text }) });
        return 0;
    }

    private static List<(string Source, string Text)> FromFiles(string folder, string? worker, int count)
    {
        var logs = Path.Combine(folder, "logs");
        var files = Directory.Exists(logs)
            ? Directory.GetFiles(logs, "*.log").Order(StringComparer.Ordinal).ToList()
            : [];
        if (worker is not null) files.RemoveAll(file => Path.GetFileNameWithoutExtension(file) != worker);
        if (files.Count == 0)
            throw new UserException(ExitCode.Usage, $"no log{(worker is null ? "" : $" of {worker}")} in {logs}");
        return [.. files.SelectMany(file => Tail(file, count)
            .Select(line => (Path.GetFileNameWithoutExtension(file), line)))];
    }

    private static IEnumerable<string> Tail(string file, int count)
    {
        // The process that writes it may still run: share with it.
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);
        var last = new Queue<string>();
        while (reader.ReadLine() is { } line)
        {
            last.Enqueue(line);
            if (last.Count > count) last.Dequeue();
        }
        return last;
    }

    private async Task<List<(string Source, string Text)>> FromEventsAsync(
        ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        using var client = _target.Connect(arguments, context);
        var status = await client.StatusAsync(cancel);
        return [.. status.Events.TakeLast(arguments.GetValue(_lines)).Select(text => ("coordinator", text))];
    }
}
