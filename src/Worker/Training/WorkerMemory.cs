using System.Numerics;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Shared.Jobs;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;
using Convoy.Worker.Collectives;
using Convoy.Worker.Data;
using Convoy.Worker.Learning;

namespace Convoy.Worker.Training;

/// <summary>A part of a worker's memory.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Bytes">At its largest.</param>
public sealed record MemoryPart(string Name, long Bytes);

/// <summary>What a worker with the largest share of a job takes at its peak.</summary>
/// <param name="Workers">Workers of the job.</param>
/// <param name="Rows">Samples of a step in the share.</param>
/// <param name="Parts">All parts; they add up.</param>
public sealed record MemoryPrediction(int Workers, int Rows, IReadOnlyList<MemoryPart> Parts)
{
    public long PeakBytes => Parts.Sum(p => p.Bytes);

    /// <summary>
    /// On top of the peak while workers join, at most: what a member lends and keeps for them, and what waits in a
    /// joiner's memory (docs/protocols/learner.md; more waits on its disk).
    /// </summary>
    public IReadOnlyList<MemoryPart> JoinParts { get; init; } = [];
}

/// <summary>
/// Predicts the resident memory of a worker process before it is started. All buffers of a step are counted from the
/// same sizes that make them; the runtime (assemblies, compiled code, the young heap) is a constant that was measured.
/// </summary>
public static class WorkerMemory
{
    // Fitted to the peaks of workers of the example jobs: .NET 10, Linux x64, 2 cores, 2026-11-21. Runs of one job
    // differ by up to 5 MB, in what the collector and the compiler happened to do.
    private const long RuntimeBytes = (73L << 20) + (256L << 10);
    // What is touched of the two rings of 4 MB for each other worker of the machine.
    private const long RingBytesPerPeer = 4L << 20;

    /// <param name="job">The job.</param>
    /// <param name="graph">Its graph, as it is submitted.</param>
    /// <param name="workers">Workers on this machine; all of the job's.</param>
    /// <param name="threads">Threads of each worker's kernels.</param>
    public static MemoryPrediction Predict(JobSpec job, Graph graph, int workers, int threads)
    {
        var data = Dataset.Probe(job);
        var rowsMax = ProgramModel.RowsMax(job, data.Samples);
        var program = TrainProgram.Describe(graph, rowsMax, CompileOptions.Of(job));
        var share = new Share(job, data.Samples, workers);
        var vector = program.ParameterElements * sizeof(float);
        var layout = ParameterLayout.Of(graph);
        var states = Optimizer.Create(job.Optimizer, 1, [.. layout.Slots.Select(ParameterSpan.Of)]).States(layout)
            .Sum(s => s.Length) * sizeof(float);
        if (job.Average.Decay > 0) states += vector;
        var form = job.MicroBatches == 1 ? share.Form : StepSlices.Single(rowsMax);
        var memory = program.MemoryOf(form, data.TestSamples > 0 ? rowsMax : 0, threads);
        List<MemoryPart> parts =
        [
            new("runtime (measured)", RuntimeBytes),
            new("data", DataBytes(job, data)),
            new("batch", job.Batch * program.InputBytesPerSample),
            new("parameters", vector),
            new("optimizer state", states),
            new("gradients, reduced (two steps)", 2 * vector),
            new("activations (arena)", memory.TouchedBytes),
            new("sums over slices", memory.SummedBytes),
            new("kernels' scratch", memory.ScratchBytes),
            // The copy that is being written, which serves the next save. A job whose saves begin faster than the disk
            // takes them holds a second one.
            new("checkpoint copy", (vector + states) / workers),
        ];
        if (job.MicroBatches > 1)
            parts.Add(new("micro-batch sums", (BitOperations.Log2((uint)share.Slices) + 1) * vector));
        if (workers > 1) parts.AddRange(OfLinks(job, share, program.ParameterElements));
        return new MemoryPrediction(workers, share.Form.Rows, parts) { JoinParts = OfJoins(vector, states, workers) };
    }

    private static MemoryPart[] OfJoins(long vector, long states, int workers) =>
    [
        new("member: copies that it lends", DonorProtocol.CopiesMax * (vector + states)),
        // A learner's queue may have one step more than its bound, when that ends it.
        new("member: steps that wait for a learner",
            Math.Max(DonorProtocol.QueueBytesMax, 3 * vector / workers) + (vector / workers)),
        new("joiner: the copy that it is sent", vector + states),
        new("joiner: steps that wait", FeedRoom.Default.MemorySteps(vector) * vector),
    ];

    private static IEnumerable<MemoryPart> OfLinks(JobSpec job, Share share, long elements)
    {
        var layout = new ExchangeLayout(elements, share.Workers, job.Sync.BucketBytes);
        var vector = elements * sizeof(float);
        // An owner receives every other node of its chunk, and the reduced chunks of the others.
        var received = layout.IsDirect ? share.OtherNodes * vector
            : ((share.OtherNodes * vector) + ((share.Workers - 1) * vector)) / share.Workers;
        yield return new("gradients, own tree nodes", (layout.IsDirect ? 2 : 1) * share.Nodes * vector);
        yield return new("exchange buffers", received);
        yield return new("shared memory of links", (share.Workers - 1) * RingBytesPerPeer);
    }

    // What is mapped counts once it was read, and a training set is read whole.
    private static long DataBytes(JobSpec job, DataProbe data)
    {
        var samples = data.Samples + data.TestSamples;
        return job.Data.Format switch
        {
            "text" => samples * data.Info.Length,
            "csv" => samples * (data.Info.Length + 1L) * sizeof(float),
            "idx" => samples * (data.Info.Length + 1L),
            _ => job.Data.Path.Concat(job.Data.TestPath).Sum(p => new FileInfo(p).Length),
        };
    }

    /// <summary>The largest share of a job that so many workers divide.</summary>
    private readonly struct Share
    {
        public Share(JobSpec job, long samples, int workers)
        {
            Workers = workers;
            var (tree, first) = (new SliceTree(job.Slices), 0);
            for (var i = 0; i < workers; i++)
            {
                var (from, end) = (job.Slices * i / workers, job.Slices * (i + 1) / workers);
                var nodes = tree.Cover(from, end).Length;
                OtherNodes += nodes;
                if (end - from > Slices) (first, Slices, Nodes) = (from, end - from, nodes);
            }

            OtherNodes -= Nodes;
            var step = new StepPlan(samples, job.Batch, job.Slices).At(1);
            var rows = Enumerable.Range(first, Slices).Select(s => step.Slice(s).Count).ToList();
            Form = new StepSlices(job.Slices, first, rows, tree.Cover(first, first + Slices));
        }

        public int Workers { get; }
        public int Slices { get; }
        public StepSlices Form { get; }
        public int Nodes { get; }
        public int OtherNodes { get; }
    }
}
