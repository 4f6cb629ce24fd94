using System.CommandLine;
using Convoy.Autodiff.Graphs;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;

namespace Convoy.Cli.Commands;

/// <summary>Prints the graph that a job's model becomes; this is all that workers ever receive of it.</summary>
internal sealed class GraphCommand : CliCommand
{
    private readonly JobArguments _job = new();
    private readonly Option<bool> _dot = new("--dot") { Description = "Print it for Graphviz." };
    private readonly Option<bool> _mlir = new("--mlir") { Description = "Print it as generic MLIR for other compilers." };
    private readonly Option<bool> _analyze = new("--analyze")
    {
        Description = "Print levels, longest chain, what several devices would gain, and findings.",
    };

    public GraphCommand() : base("graph", "Print the graph of a job's model.",
        "convoy graph examples/digits-mlp.yaml", "convoy graph examples/chars.yaml --dot | dot -Tsvg -o chars.svg",
        "convoy graph examples/digits-mlp.yaml --analyze")
    {
        _job.AddTo(this);
        Add(_dot);
        Add(_mlir);
        Add(_analyze);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var prepared = PreparedJob.Of(_job.Read(arguments));
        if (arguments.GetValue(_analyze)) return Task.FromResult(Analyze(prepared, context));
        var text = arguments.GetValue(_dot) ? GraphPrinter.Dot(prepared.Graph)
            : arguments.GetValue(_mlir) ? MlirText.Of(prepared.Graph)
            : GraphPrinter.Text(prepared.Graph);
        context.Line(text.TrimEnd());
        context.Result(new { Job = prepared.Job.Job, Graph = text });
        return Task.FromResult(0);
    }

    private static int Analyze(PreparedJob prepared, CliContext context)
    {
        // What a worker computes in one pass is at least one slice of the batch.
        var rows = Math.Max(1, prepared.Job.Batch / prepared.Job.Slices);
        var analysis = DependencyAnalysis.Of(prepared.Graph, rows);
        var findings = GraphFindings.Of(prepared.Graph, rows);
        foreach (var line in analysis.Lines()) context.Line(line);
        foreach (var line in findings.Lines()) context.Line(line);
        context.Result(new
        {
            Job = prepared.Job.Job,
            Nodes = prepared.Graph.Nodes.Length,
            Levels = analysis.Levels.Count,
            IndependentSets = analysis.IndependentSets.Select(s => s.Select(n => n.Name)),
            CriticalPath = analysis.CriticalPath.Select(n => n.Name),
            analysis.Work,
            analysis.CriticalWork,
            analysis.SpeedUpMax,
            SpeedUp = new[] { 2, 4, 8 }.Select(d => new { Devices = d, Times = analysis.SpeedUp(d) }),
            Findings = findings.Found.Select(f => new { Severity = $"{f.Diagnostic.Severity}", f.Diagnostic.Where, f.Diagnostic.Text }),
        });
        return 0;
    }
}
