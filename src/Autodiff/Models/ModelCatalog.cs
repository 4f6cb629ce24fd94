using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Optim;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Models;

/// <summary>
/// The families of models that a job can name. Each returns a graph with loss_sum, logits and correct.
/// </summary>
public static class ModelCatalog
{
    /// <summary>The model of a job for data of this shape.</summary>
    /// <exception cref="UserException">The family is unknown, or does not fit the data.</exception>
    public static Graph Build(JobSpec job, DataShape data) => UpdateMemory.AddTo(Family(job, data), job);

    private static Graph Family(JobSpec job, DataShape data) => job.Model.Family switch
    {
        "mlp" => Mlp.Build(job.Model, data),
        "cnn" => Cnn.Build(job.Model, data),
        "gpt" => Gpt.Build(job.Model, data),
        _ => throw Wrong($"model.family \"{job.Model.Family}\" is not mlp, cnn or gpt"),
    };

    internal static UserException Wrong(string message) => new(ExitCode.BadJob, message);
}
