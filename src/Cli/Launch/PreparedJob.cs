using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Coordinator.Api;
using Convoy.Shared.Jobs;
using Convoy.Worker.Data;

namespace Convoy.Cli.Launch;

/// <summary>
/// A job that has passed everything that can be known before a process is started: the file is well formed, the data
/// can be read, the model fits the data. What travels is the graph, never code (decision 1).
/// </summary>
internal sealed record PreparedJob(JobSpec Job, Graph Graph)
{
    public static PreparedJob Of(JobSpec job)
    {
        var info = Dataset.Probe(job).Info;
        return new PreparedJob(job, ModelCatalog.Build(job, new DataShape(info.SampleShape, info.Classes)));
    }

    public SubmitRequest Request(long? untilStep, bool resume, DateTimeOffset launchedAt) => new()
    {
        Job = Job,
        Graph = GraphCodec.Encode(Graph),
        UntilStep = untilStep,
        Resume = resume,
        LaunchedAt = launchedAt,
    };
}
