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

    public GraphCommand() : base("graph", "Print the graph of a job's model.",
        "convoy graph examples/digits-mlp.yaml", "convoy graph examples/chars.yaml --dot | dot -Tsvg -o chars.svg")
    {
        _job.AddTo(this);
        Add(_dot);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var prepared = PreparedJob.Of(_job.Read(arguments));
        var text = arguments.GetValue(_dot) ? GraphPrinter.Dot(prepared.Graph) : GraphPrinter.Text(prepared.Graph);
        context.Line(text.TrimEnd());
        context.Result(new { Job = prepared.Job.Job, Graph = text });
        return Task.FromResult(0);
    }
}
