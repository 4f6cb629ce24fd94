using static Convoy.Shared.Jobs.JobKeys;

namespace Convoy.Shared.Jobs;

// The rows about training and about the cluster.
public static partial class JobSchema
{
    private static IEnumerable<JobKey> Training() =>
    [
        Int("batch", 1, 1 << 24, j => j.Batch, (j, v) => j with { Batch = v },
            "Samples in one step, over all workers."),
        Int("slices", 1, Limits.SlicesMax, j => j.Slices, (j, v) => j with { Slices = v },
            "Fixed cuts of the batch that fix the order of sums; at most batch, at least the largest number of "
                + "workers. Another value gives other last bits."),
        Int("micro_batches", 1, 1 << 24, j => j.MicroBatches, (j, v) => j with { MicroBatches = v },
            "Pieces of a slice that are computed one after another, their gradients added in order: activations take "
                + "the memory of one piece. Another value gives other last bits."),
        Text("recompute", v => { RecomputeSpec.Parse(v, out var broken); return broken; }, RecomputeSpec.Range,
            j => j.Recompute, (j, v) => j with { Recompute = v },
            "Activations that backward computes again instead of keeping them: all, pieces of the forward pass (uniform, "
                + "sqrt), pieces of pieces (nested), the cheapest choice within a size of planned memory (budget), or that by "
                + "what steps took and hold so far, again and again (adapt). "
                + "The bits stay the same."),
        Text("blas", v => { BlasSpec.Parse(v, out var broken); return broken; }, BlasSpec.Range,
            j => j.Blas, (j, v) => j with { Blas = v },
            "Who multiplies matrices: the kernels of Convoy, or a library that every worker's machine has, for products "
                + "of a slice with at least so many operations (linear layers, other products, weight gradients; without "
                + "them all). auto measures where the job is submitted and writes down what it chose. Another value gives "
                + "other last bits; workers whose libraries differ in version or processor are refused."),
        Text("accelerator", v => { AcceleratorSpec.Parse(v, out var broken); return broken; }, AcceleratorSpec.Range,
            j => j.Accelerator, (j, v) => j with { Accelerator = v },
            "What computes convolutions: the processor, or an OpenCL device of each worker (convoy devices lists them; "
                + "opencl is the first that can be used). The bits stay the same."),
        Int("epochs", 1, 1_000_000, j => j.Epochs, (j, v) => j with { Epochs = v },
            "Passes over the training set.") with { DefaultInWords = "this or steps" },
        Long("steps", 1, 1L << 40, j => j.Steps, (j, v) => j with { Steps = v },
            "Number of updates.") with { DefaultInWords = "this or epochs" },
        Choice("optimizer.kind", OptimizerKinds, [], j => j.Optimizer.Kind,
            (j, v) => j with { Optimizer = j.Optimizer with { Kind = v } },
                "Update rule; adamw, lamb, lion and adafactor decay weights apart from the gradient."),
        Real("optimizer.lr", v => v > 0, "above 0", j => j.Optimizer.Lr,
            (j, v) => j with { Optimizer = j.Optimizer with { Lr = v } }, "Learning rate."),
        Real("optimizer.weight_decay", v => v >= 0, "0 or more", j => j.Optimizer.WeightDecay,
            (j, v) => j with { Optimizer = j.Optimizer with { WeightDecay = v } }, "Pull of the weights to zero."),
        ForKind(Real("optimizer.momentum", v => v is >= 0 and < 1, "0 to below 1", j => j.Optimizer.Momentum,
            (j, v) => j with { Optimizer = j.Optimizer with { Momentum = v } },
                "Share of the last update that is kept."), "sgd", "rmsprop"),
        ForKind(Flag("optimizer.nesterov", j => j.Optimizer.Nesterov,
            (j, v) => j with { Optimizer = j.Optimizer with { Nesterov = v } },
                "The step looks ahead along the momentum."), "sgd"),
        ForKind(Real("optimizer.dampening", v => v is >= 0 and < 1, "0 to below 1", j => j.Optimizer.Dampening,
            (j, v) => j with { Optimizer = j.Optimizer with { Dampening = v } },
                "Share of each gradient after the first that the momentum leaves out; not with nesterov."), "sgd"),
        ForKind(Real("optimizer.beta1", v => v is >= 0 and < 1, "0 to below 1", j => j.Optimizer.Beta1,
            (j, v) => j with { Optimizer = j.Optimizer with { Beta1 = v } }, "Decay of the mean of gradients."),
                Moments),
        ForKind(Real("optimizer.beta2", v => v is >= 0 and < 1, "0 to below 1", j => j.Optimizer.Beta2,
            (j, v) => j with { Optimizer = j.Optimizer with { Beta2 = v } }, "Decay of the mean of squared gradients."),
                Moments),
        ForKind(Real("optimizer.momentum_decay", v => v >= 0, "0 or more", j => j.Optimizer.MomentumDecay,
            (j, v) => j with { Optimizer = j.Optimizer with { MomentumDecay = v } },
                "The momentum of step t is beta1 (1 - 0.96^(t momentum_decay) / 2)."), "nadam"),
        ForKind(Real("optimizer.epsilon", v => v > 0, "above 0", j => j.Optimizer.Epsilon,
            (j, v) => j with { Optimizer = j.Optimizer with { Epsilon = v } },
                "Added to the root of the squared mean."),
                "adam", "adamw", "radam", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "lamb"),
        ForKind(Flag("optimizer.amsgrad", j => j.Optimizer.Amsgrad,
            (j, v) => j with { Optimizer = j.Optimizer with { Amsgrad = v } },
                "The largest squared mean so far counts."), "adam", "adamw"),
        ForKind(Flag("optimizer.centered", j => j.Optimizer.Centered,
            (j, v) => j with { Optimizer = j.Optimizer with { Centered = v } },
                "The variance of gradients instead of their squared mean."), "rmsprop"),
        ForKind(Real("optimizer.smoothing", v => v is >= 0 and < 1, "0 to below 1", j => j.Optimizer.Smoothing,
            (j, v) => j with { Optimizer = j.Optimizer with { Smoothing = v } },
                "Share of the old squared mean that is kept."), "rmsprop", "adadelta"),
        ForKind(Flag("optimizer.relative_step", j => j.Optimizer.RelativeStep,
            (j, v) => j with { Optimizer = j.Optimizer with { RelativeStep = v } },
                "The step of each parameter is its root mean square, at least 0.001, times the smaller of lr (such as 0.01) "
                    + "and 1 / √step."), "adafactor"),
        ForKind(Real("optimizer.update_clip", v => v > 0, "above 0", j => j.Optimizer.UpdateClip,
            (j, v) => j with { Optimizer = j.Optimizer with { UpdateClip = v } },
                "Largest root mean square of a parameter's update, before its rate."), "adafactor"),
        Choice("optimizer.schedule.kind", ScheduleKinds, [], j => j.Optimizer.Schedule.Kind,
            (j, v) => Schedule(j, j.Optimizer.Schedule with { Kind = v }), "Course of the learning rate."),
        Long("optimizer.schedule.warmup", 0, 1L << 40, j => j.Optimizer.Schedule.Warmup,
            (j, v) => Schedule(j, j.Optimizer.Schedule with { Warmup = v }), "Steps of linear rise at the start."),
        ForSchedule(Real("optimizer.schedule.floor", v => v is >= 0 and <= 1, "0 to 1", j => j.Optimizer.Schedule.Floor,
            (j, v) => Schedule(j, j.Optimizer.Schedule with { Floor = v }), "Last rate as a share of lr."),
                "cosine", "linear", "polynomial", "cosine-restarts"),
        ForSchedule(Long("optimizer.schedule.every", 1, 1L << 40, j => j.Optimizer.Schedule.Every,
            (j, v) => Schedule(j, j.Optimizer.Schedule with { Every = v }),
                "Steps from one cut to the next, or of the first cycle."), "step", "cosine-restarts"),
        ForSchedule(new JobKey<IReadOnlyList<int>>
        {
            Path = "optimizer.schedule.milestones", Type = "list of whole numbers", Range = "steps in ascending order",
            Parse = JobValues.Ints, Text = v => JobValues.PrintList(v.Select(m => JobValues.Print(m))),
            Rule = v =>
                v.Zip(v.Skip(1)).All(p => p.First < p.Second) && v.All(m => m > 0) ? null
                    : "milestones are steps in ascending order",
            Get = j => j.Optimizer.Schedule.Milestones,
            Set = (j, v) => Schedule(j, j.Optimizer.Schedule with { Milestones = v }),
            Doc = "Steps at which the rate is cut.",
        }, "multi-step"),
        ForSchedule(Real("optimizer.schedule.factor", v => v > 0, "above 0", j => j.Optimizer.Schedule.Factor,
            (j, v) => Schedule(j, j.Optimizer.Schedule with { Factor = v }),
                "Factor of a cut or of every step (step, multi-step, exponential), power (polynomial), growth of a cycle "
                    + "(cosine-restarts)."), "step", "multi-step", "exponential", "polynomial", "cosine-restarts"),
        ForSchedule(Flag("optimizer.schedule.three_phase", j => j.Optimizer.Schedule.ThreePhase,
            (j, v) => Schedule(j, j.Optimizer.Schedule with { ThreePhase = v }),
                "The rate goes down as slowly as up, to the first one, and from there to the last."), "one-cycle"),
        Real("clip.global_norm", v => v >= 0, "0 or more", j => j.Clip.GlobalNorm,
            (j, v) => j with { Clip = j.Clip with { GlobalNorm = v } },
            "Largest norm of the gradient over all parameters, after everything else; 0 does not clip."),
        Real("clip.value", v => v >= 0, "0 or more", j => j.Clip.Value,
            (j, v) => j with { Clip = j.Clip with { Value = v } }, "Largest size of an element; 0 does not clip."),
        Real("clip.parameter_norm", v => v >= 0, "0 or more", j => j.Clip.ParameterNorm,
            (j, v) => j with { Clip = j.Clip with { ParameterNorm = v } },
            "Largest norm of the gradient of each parameter; 0 does not clip."),
        Real("clip.layer_norm", v => v >= 0, "0 or more", j => j.Clip.LayerNorm,
            (j, v) => j with { Clip = j.Clip with { LayerNorm = v } },
            "Largest norm of the gradient of each layer, all its parameters together; 0 does not clip."),
        Real("clip.weight_norm", v => v >= 0, "0 or more", j => j.Clip.WeightNorm,
            (j, v) => j with { Clip = j.Clip with { WeightNorm = v } },
            "Largest norm of a unit's gradient as a share of the norm of its weights (adaptive clipping); such as "
                + "0.01; 0 does not clip."),
        Real("clip.percentile", v => v is >= 0 and <= 100, "0 to 100", j => j.Clip.Percentile,
            (j, v) => j with { Clip = j.Clip with { Percentile = v } },
            "The bound of the norm over all parameters is this percentile of the norms of the last steps; 0 does not "
                + "clip. What is remembered lies in checkpoints."),
        Int("clip.window", 1, 100_000, j => j.Clip.Window, (j, v) => j with { Clip = j.Clip with { Window = v } },
            "Steps that percentile remembers.")
            with { UsedWhen = "clip.percentile is above 0", Used = j => j.Clip.Percentile > 0 },
        Real("clip.average", v => v == 0 || v > 1, "0 or above 1", j => j.Clip.Average,
            (j, v) => j with { Clip = j.Clip with { Average = v } },
            "The bound of the norm over all parameters is this multiple of its running mean; 0 does not clip."),
        Choice("gradient.non_finite", ["skip", "stop", "clean"], [], j => j.Gradient.NonFinite,
            (j, v) => j with { Gradient = j.Gradient with { NonFinite = v } },
            "A step whose gradient holds NaN or infinity changes no weight (skip), ends the job with the parameter's name "
                + "(stop), or is made with 0 in their place (clean)."),
        Real("gradient.noise", v => v >= 0, "0 or more", j => j.Gradient.Noise,
            (j, v) => j with { Gradient = j.Gradient with { Noise = v } },
            "Normal noise is added to the gradient, with the variance noise / (1 + step)^0.55; it follows from seed, step, "
                + "parameter and element."),
        Real("average.decay", v => v is >= 0 and < 1, "0 to below 1", j => j.Average.Decay,
            (j, v) => j with { Average = j.Average with { Decay = v } },
            "An average of the weights keeps this share of itself each step, such as 0.999, and lies in checkpoints beside "
                + "them; 0 keeps none."),
        Flag("average.evaluate", j => j.Average.Evaluate,
            (j, v) => j with { Average = j.Average with { Evaluate = v } },
            "Tests use the average instead of the weights.")
            with { UsedWhen = "average.decay is above 0", Used = j => j.Average.Decay > 0 },
        Flag("anomaly", j => j.Anomaly, (j, v) => j with { Anomaly = v },
            "Look at every result of every step, and end the job with the name of the operator that makes the first NaN."),
        Choice("precision", ["float32"], ["float64", "float16", "bfloat16"], j => j.Precision,
            (j, v) => j with { Precision = v },
            "Type of weights and activations."),
    ];

    private static IEnumerable<JobKey> Cluster() =>
    [
        new JobKey<int>
        {
            Path = "parallel.data", Type = "auto or whole number", Range = $"auto or 1 to {Limits.SlicesMax}",
                Parse = JobValues.AutoOrInt,
            Text = v => v == 0 ? "auto" : JobValues.Print(v), Rule = v => v == 0 ? null : OutOf(v, 1, Limits.SlicesMax),
            Get = j => j.Parallel.Data, Set = (j, v) => j with { Parallel = j.Parallel with { Data = v } },
            Doc = "Workers that share a batch; auto takes those that are there, within elastic.",
        },
        OnlyOne("parallel.tensor", j => j.Parallel.Tensor,
            (j, v) => j with { Parallel = j.Parallel with { Tensor = v } }, "Workers that share one layer."),
        OnlyOne("parallel.pipeline", j => j.Parallel.Pipeline,
            (j, v) => j with { Parallel = j.Parallel with { Pipeline = v } }, "Stages that share the layers."),
        Choice("sync.algorithm", ["auto", "direct"], ["ring", "tree", "hierarchical"], j => j.Sync.Algorithm,
            (j, v) => j with { Sync = j.Sync with { Algorithm = v } },
                "How gradients are added; direct sends each part to the worker that owns it."),
        Choice("sync.codec", ["none"], ["fp16", "bf16", "int8", "topk", "powersgd", "sign"], j => j.Sync.Codec,
            (j, v) => j with { Sync = j.Sync with { Codec = v } }, "Compression of gradients."),
        Choice("sync.commit", ["local", "unanimous"], [], j => j.Sync.Commit,
            (j, v) => j with { Sync = j.Sync with { Commit = v } },
            "When a worker applies a step: as soon as it holds all of its gradient (local), or when every worker has "
                + "said that it does (unanimous: one more message there and back; the same bits)."),
        new JobKey<int>
        {
            Path = "sync.bucket", Type = "size", Range = "16KB to 256MB", Parse = JobValues.Bytes,
                Text = JobValues.PrintBytes,
            Rule = v => v is >= 16 << 10 and <= 256 << 20 ? null
                : $"{JobValues.PrintBytes(v)} is out of range; it is 16KB to 256MB",
            Get = j => j.Sync.BucketBytes, Set = (j, v) => j with { Sync = j.Sync with { BucketBytes = v } },
            Doc = "Gradients travel in pieces of about this size while the rest is computed; KB, MB and GB are "
                + "powers of 1024.",
        },
        Long("checkpoint.every", 0, 1L << 40, j => j.Checkpoint.Every,
            (j, v) => j with { Checkpoint = j.Checkpoint with { Every = v } },
            "Steps between two saves; 0 saves only at the end. Each is made: with two that are not published yet, steps "
                + "wait for the disk (save_us of a step, save_share in the status)."),
        Int("checkpoint.keep", 1, 10_000, j => j.Checkpoint.Keep,
            (j, v) => j with { Checkpoint = j.Checkpoint with { Keep = v } },
            "Newest checkpoints that are kept; older ones are deleted."),
        Int("elastic.min", 1, Limits.SlicesMax, j => j.Elastic.Min,
            (j, v) => j with { Elastic = j.Elastic with { Min = v } },
            "Workers below which the job waits."),
        Int("elastic.max", 1, Limits.SlicesMax, j => j.Elastic.Max,
            (j, v) => j with { Elastic = j.Elastic with { Max = v } },
            "Workers above which others stay spare; at most slices.")
            with { DefaultInWords = "8, or slices where that is less" },
        Time("timeouts.beat", 10, 20_000, j => j.Timeouts.BeatMs,
            (j, v) => j with { Timeouts = j.Timeouts with { BeatMs = v } },
            "Time between two signs of life; three of them are shorter than dead."),
        Time("timeouts.dead", 50, 60_000, j => j.Timeouts.DeadMs,
            (j, v) => j with { Timeouts = j.Timeouts with { DeadMs = v } },
            "Silence after which a worker is lost; up to twice as long where signs of life come unsteadily."),
        Time("timeouts.stall", 0, 60_000, j => j.Timeouts.StallMs,
            (j, v) => j with { Timeouts = j.Timeouts with { StallMs = v } },
            "Stall of a living worker (a stopped process, a long collection of garbage) that is forgiven: a silent worker "
                + "is lost that much later."),
    ];

    private static JobSpec Schedule(JobSpec job, ScheduleSpec schedule) =>
        job with { Optimizer = job.Optimizer with { Schedule = schedule } };

    // Properties: the table is made before the fields of this file would be.
    private static string[] OptimizerKinds =>
    [
        "sgd", "adam", "adamw", "radam", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "lion", "lamb",
            "adafactor",
    ];

    private static string[] Moments => ["adam", "adamw", "radam", "nadam", "adamax", "lion", "lamb"];

    private static string[] ScheduleKinds =>
        ["constant", "cosine", "step", "multi-step", "exponential", "linear", "polynomial", "cosine-restarts",
            "one-cycle"];

    private static JobKey ForSchedule(JobKey key, params string[] kinds) => key with
    {
        UsedWhen = $"optimizer.schedule.kind is {Or(kinds)}",
        Used = job => kinds.Contains(job.Optimizer.Schedule.Kind, StringComparer.Ordinal),
    };

    private static JobKey ForKind(JobKey key, params string[] kinds) => key with
    {
        UsedWhen = $"optimizer.kind is {Or(kinds)}",
        Used = job => kinds.Contains(job.Optimizer.Kind, StringComparer.Ordinal),
    };

    private static JobKey<int> Time(string path, int minMs, int maxMs, Func<JobSpec, int> get,
        Func<JobSpec, int, JobSpec> set, string doc)
    {
        var range = $"{JobValues.PrintMilliseconds(minMs)} to {JobValues.PrintMilliseconds(maxMs)}";
        return new JobKey<int>
        {
            Path = path, Type = "time", Range = range, Doc = doc, Get = get, Set = set,
            Parse = JobValues.Milliseconds, Text = JobValues.PrintMilliseconds,
            Rule = v => v >= minMs && v <= maxMs ? null
                : $"{JobValues.PrintMilliseconds(v)} is out of range; it is {range}",
        };
    }
}
