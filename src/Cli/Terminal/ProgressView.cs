using Convoy.Coordinator.Api;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Convoy.Cli.Terminal;

/// <summary>
/// Shows a run while it goes on: drawn in place on a terminal, plain lines elsewhere. Plain lines come at most once a
/// second, and at every change of members, so that a log file stays readable.
/// </summary>
internal sealed class ProgressView(CliContext context)
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReasonInterval = TimeSpan.FromSeconds(5);

    private const int BarMax = 60;

    private readonly Queue<string> _notes = new();
    private IAnsiConsole? _console;
    private LiveDisplayContext? _live;
    private long _lastLine;
    // A reason is worth a line when it lasts: every start waits a moment for its workers.
    private long _lastReason = context.Time.GetTimestamp();
    private long _lastStep = -1;
    private string _members = "";

    /// <summary>Runs the work with the live display around it where there is a terminal.</summary>
    public async Task<T> AroundAsync<T>(Func<Task<T>> work)
    {
        if (!context.Live) return await work();
        _console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(context.Streams.Error) });
        T result = default!;
        await _console.Live(new Text("")).StartAsync(async live =>
        {
            _live = live;
            try
            {
                result = await work();
            }
            finally
            {
                _live = null;
            }
        });
        return result;
    }

    public void Show(StatusReport status)
    {
        if (_live is { } live) live.UpdateTarget(Draw(status, _console!.Profile.Width));
        else Plain(status);
    }

    /// <summary>A line that stays: a lost worker, a stop that was asked for.</summary>
    public void Note(string text)
    {
        if (_live is null) context.Line(text);
        else _notes.Enqueue(text);
        while (_notes.Count > 6) _notes.Dequeue();
    }

    private void Plain(StatusReport status)
    {
        var members = Members(status);
        if (members != _members && members.Length > 0)
        {
            _members = members;
            context.Line($"generation {status.Generation}: {members}");
        }
        if (status.Step != _lastStep && Due(ref _lastLine, PlainInterval))
        {
            _lastStep = status.Step;
            context.Line(StatusText.Progress(status));
        }
        if (status.Reasons.Count > 0 && Due(ref _lastReason, ReasonInterval))
            foreach (var reason in status.Reasons) context.Line($"waiting: {reason}");
    }

    // The rank map: who computes which slices (R6).
    private static string Members(StatusReport status) => string.Join(", ", status.Workers
        .Where(worker => worker.Slices.Length > 0).Select(worker => $"{worker.Name} slices {worker.Slices}"));

    private bool Due(ref long last, TimeSpan interval)
    {
        var now = context.Time.GetTimestamp();
        if (last != 0 && context.Time.GetElapsedTime(last, now) < interval) return false;
        last = now;
        return true;
    }

    private Rows Draw(StatusReport status, int width)
    {
        var until = Math.Max(1, status.UntilStep > 0 ? status.UntilStep : status.StepsTotal);
        var bar = Math.Clamp(width - 1, 1, BarMax);
        var filled = (int)(bar * Math.Clamp((double)status.Step / until, 0, 1));
        var lines = new List<IRenderable>
        {
            Line(StatusText.Progress(status)),
            new Markup($"[green]{new string('━', filled)}[/][grey]{new string('─', bar - filled)}[/]"),
        };
        lines.AddRange(status.Workers.Select(worker => Line(
            $"  {worker.Name,-6} {worker.State,-10} slices {StatusText.Dash(worker.Slices),-8} step {worker.Step}")));
        lines.AddRange(status.Reasons.Select(reason => Line($"  waiting: {reason}")));
        lines.AddRange(_notes.Select(note => Line($"  {note}")));
        return new Rows(lines);
    }

    // One row each, however narrow the terminal: the display goes back by rows to draw over itself.
    private static Text Line(string text) => new(text) { Overflow = Overflow.Ellipsis };
}
