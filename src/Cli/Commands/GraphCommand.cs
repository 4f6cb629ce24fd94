using System.CommandLine;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Passes;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Worker.Training;

namespace Convoy.Cli.Commands;

/// <summary>Prints the graph that a job's model becomes; this is all that workers ever receive of it.</summary>
internal sealed class GraphCommand : CliCommand
{
    private readonly JobArguments _job = new();
    private readonly Option<bool> _dot = new("--dot") { Description = "Print it for Graphviz." };
    private readonly Option<bool> _mlir = new("--mlir")
    { Description = "Print it as generic MLIR for other compilers." };
    private readonly Option<bool> _analyze = new("--analyze")
    {
        Description = "Print levels, longest chain, what several devices would gain, and findings.",
    };
    private readonly Option<bool> _passes = new("--passes")
    {
        Description = "Print what the passes of a worker make of it, and what recompute and fusion save.",
    };
    private readonly Option<bool> _memory = new("--memory")
    {
        Description = "Predict the peak memory of a worker.",
    };
    private readonly ThreadsOption _threads = new("the cores, divided among the workers");
    private readonly Option<int> _workers = new("--workers", "-w")
    {
        Description = "With --memory: worker processes that share the job.",
        DefaultValueFactory = _ => 2,
    };

    public GraphCommand() : base("graph", "Print the graph of a job's model, its passes or its memory.",
        "convoy graph examples/digits-mlp.yaml", "convoy graph examples/chars.yaml --dot | dot -Tsvg -o chars.svg",
        "convoy graph examples/digits-mlp.yaml --analyze",
        "convoy graph examples/chars.yaml --passes --set recompute=sqrt",
        "convoy graph examples/chars.yaml --memory --workers 4")
    {
        _job.AddTo(this);
        Add(_dot);
        Add(_mlir);
        Add(_analyze);
        Add(_passes);
        Add(_memory);
        Add(_workers);
        Add(_threads);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        CheckViews(arguments);
        var prepared = PreparedJob.Of(_job.Read(arguments));
        try
        {
            if (arguments.GetValue(_memory)) Memory(prepared, arguments, context);
            else if (arguments.GetValue(_passes)) Passes(prepared, context);
            else if (arguments.GetValue(_analyze)) Analyze(prepared, context);
            else Text(prepared, TextOf(prepared.Graph, arguments), context);
        }
        catch (GraphException cause)
        {
            throw new UserException(ExitCode.BadJob, cause.Message);
        }

        return Task.FromResult(0);
    }

    // One would be printed, and the others left out in silence.
    private void CheckViews(ParseResult arguments)
    {
        Option<bool>[] views = [_dot, _mlir, _analyze, _passes, _memory];
        if (views.Count(arguments.GetValue) > 1)
            throw new UserException(
                ExitCode.Usage, $"give one of {string.Join(", ", views.Select(view => view.Name))}");
        foreach (var option in (Option[])[_workers, _threads])
            if (!arguments.GetValue(_memory) && arguments.GetResult(option) is { Implicit: false })
                throw new UserException(ExitCode.Usage, $"{option.Name} is about --memory: give it too");
    }

    private string TextOf(Graph graph, ParseResult arguments) =>
        arguments.GetValue(_dot) ? GraphPrinter.Dot(graph)
        : arguments.GetValue(_mlir) ? MlirText.Of(graph) : GraphPrinter.Text(graph);

    private static void Text(PreparedJob prepared, string text, CliContext context)
    {
        context.Line(text.TrimEnd());
        context.Result(new { Job = prepared.Job.Job, Graph = text });
    }

    private static void Passes(PreparedJob prepared, CliContext context)
    {
        var job = prepared.Job;
        var started = context.Time.GetTimestamp();
        var report = TrainProgram.Describe(prepared.Graph, job.Batch, CompileOptions.Of(job));
        var ms = context.Time.GetElapsedTime(started).TotalMilliseconds;
        foreach (var line in GraphText.Passes(report, ms)) context.Line(line);
        context.Result(new
        {
            Job = job.Job,
            CompileMs = Math.Round(ms, 1),
            report.Passes,
            report.Recompute,
            report.Fusion,
            report.Training,
            report.Evaluation,
        });
    }

    private void Memory(PreparedJob prepared, ParseResult arguments, CliContext context)
    {
        var workers = arguments.GetValue(_workers);
        var most = prepared.Job.Elastic.Max;
        if (workers < 1 || workers > most)
            throw new UserException(
                ExitCode.Usage, $"--workers {workers} is not within 1 to {most} (elastic.max of the job)");
        var threads = _threads.Read(arguments, Math.Max(1, Environment.ProcessorCount / workers));
        var memory = WorkerMemory.Predict(prepared.Job, prepared.Graph, workers, threads);
        foreach (var line in GraphText.Memory(memory)) context.Line(line);
        context.Result(new
        {
            Job = prepared.Job.Job, memory.Workers, memory.Rows, memory.PeakBytes, memory.Parts, memory.JoinParts,
        });
    }

    private static void Analyze(PreparedJob prepared, CliContext context)
    {
        // What a worker computes in one pass is at least one slice of the batch.
        var rows = Math.Max(1, prepared.Job.Batch / prepared.Job.Slices);
        var analysis = DependencyAnalysis.Of(prepared.Graph, rows);
        var findings = GraphFindings.Of(prepared.Graph, rows);
        var fusion = FusionAnalysis.Of(prepared.Graph, rows);
        var caches = CachePlan.Of(prepared.Graph, rows, CacheHierarchy.OfThisMachine);
        foreach (var line in analysis.Lines()) context.Line(line);
        foreach (var line in fusion.Lines()) context.Line(line);
        foreach (var line in caches.Lines()) context.Line(line);
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
            Fusion = new
            {
                fusion.UnaryUnary, fusion.BinaryUnary, fusion.UnaryBinary, fusion.BinaryBinary, fusion.BytesSaved,
            },
            Caches = caches.Nodes,
            Findings = findings.Found.Select(f =>
                new { Severity = $"{f.Diagnostic.Severity}", f.Diagnostic.Where, f.Diagnostic.Text }),
        });
    }
}
