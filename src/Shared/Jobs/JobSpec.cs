namespace Convoy.Shared.Jobs;

// The effective job: what a YAML file says after defaults and --set. Every key, its type, default and range are
// documented once, in JobSchema (the strict reader), and from there in docs/job-file.md and `convoy config --keys`.
// The same records travel to the coordinator and the workers as canonical JSON.

public sealed record JobSpec
{
    /// <summary>Name of the job.</summary>
    public string Job { get; init; } = "job";
    public ulong Seed { get; init; } = 1;
    public ModelSpec Model { get; init; } = new();
    public DataSpec Data { get; init; } = new();
    /// <summary>Samples in one step, over all workers.</summary>
    public int Batch { get; init; } = 128;
    /// <summary>
    /// S: fixed cuts of the batch that fix the order of sums; at least the largest number of workers.
    /// </summary>
    public int Slices { get; init; } = 8;
    /// <summary>u: pieces of a slice that are computed one after another.</summary>
    public int MicroBatches { get; init; } = 1;
    /// <summary>Which activations are computed again instead of kept; see <see cref="RecomputeSpec"/>.</summary>
    public string Recompute { get; init; } = "none";
    /// <summary>Who multiplies matrices; see <see cref="BlasSpec"/>.</summary>
    public string Blas { get; init; } = "managed";
    /// <summary>What computes convolutions; see <see cref="AcceleratorSpec"/>.</summary>
    public string Accelerator { get; init; } = "none";
    /// <summary>Exactly one of epochs and steps is set; 0 means not set.</summary>
    public int Epochs { get; init; }
    public long Steps { get; init; }
    public OptimizerSpec Optimizer { get; init; } = new();
    public ClipSpec Clip { get; init; } = new();
    public GradientSpec Gradient { get; init; } = new();
    public AverageSpec Average { get; init; } = new();
    /// <summary>Every result of a step is looked at; the operator that makes the first NaN is named.</summary>
    public bool Anomaly { get; init; }
    public ParallelSpec Parallel { get; init; } = new();
    public SyncSpec Sync { get; init; } = new();
    public CheckpointSpec Checkpoint { get; init; } = new();
    public ElasticSpec Elastic { get; init; } = new();
    public TimeoutSpec Timeouts { get; init; } = new();
    public string Precision { get; init; } = "float32";
}

/// <summary>Keys that a family does not use are refused by the reader, not ignored.</summary>
public sealed record ModelSpec
{
    /// <summary>mlp, cnn or gpt.</summary>
    public string Family { get; init; } = "mlp";
    /// <summary>mlp: widths from input to classes.</summary>
    public IReadOnlyList<int> Layers { get; init; } = [];
    /// <summary>mlp, cnn: relu, gelu or tanh.</summary>
    public string Activation { get; init; } = "relu";
    /// <summary>cnn: channels, height, width of a sample.</summary>
    public IReadOnlyList<int> Image { get; init; } = [];
    /// <summary>cnn: the network as words: conv16, conv32, pool, 64 (a dense layer), 10 (last: classes).</summary>
    public IReadOnlyList<string> Network { get; init; } = [];
    /// <summary>Share of elements that are dropped out in training; 0: none.</summary>
    public double Dropout { get; init; }
    /// <summary>cnn: none or batch.</summary>
    public string Norm { get; init; } = "none";
    /// <summary>gpt: symbols; 256 for bytes.</summary>
    public int Vocabulary { get; init; } = 256;
    /// <summary>gpt: tokens of one sample.</summary>
    public int Context { get; init; } = 64;
    public int Width { get; init; } = 128;
    public int Depth { get; init; } = 2;
    public int Heads { get; init; } = 4;
}

public sealed record DataSpec
{
    /// <summary>csv, idx, npy or text.</summary>
    public string Format { get; init; } = "csv";
    /// <summary>Files, or for text also folders and patterns; absolute once the job is effective.</summary>
    public IReadOnlyList<string> Path { get; init; } = [];
    public IReadOnlyList<string> TestPath { get; init; } = [];
    /// <summary>idx, npy: files of labels.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];
    public IReadOnlyList<string> TestLabels { get; init; } = [];
    /// <summary>csv: column of the label: first, last or a name of the header.</summary>
    public string Label { get; init; } = "last";
    /// <summary>Features are multiplied by it.</summary>
    public double Scale { get; init; } = 1;
    /// <summary>Share of the samples kept for testing when there is no test_path, chosen by the seed.</summary>
    public double TestSplit { get; init; }
}

public sealed record OptimizerSpec
{
    /// <summary>The update rule; the job schema lists them.</summary>
    public string Kind { get; init; } = "adamw";
    public double Lr { get; init; } = 0.001;
    public double WeightDecay { get; init; }
    /// <summary>sgd.</summary>
    public double Momentum { get; init; }
    public double Beta1 { get; init; } = 0.9;
    public double Beta2 { get; init; } = 0.999;
    public double Epsilon { get; init; } = 1e-8;
    /// <summary>sgd with momentum: the step looks ahead.</summary>
    public bool Nesterov { get; init; }
    /// <summary>sgd with momentum: share of each gradient after the first that the momentum leaves out.</summary>
    public double Dampening { get; init; }
    /// <summary>nadam: how fast the share of the momentum grows over the steps.</summary>
    public double MomentumDecay { get; init; } = 0.004;
    /// <summary>adam, adamw: the largest mean of squares so far counts.</summary>
    public bool Amsgrad { get; init; }
    /// <summary>rmsprop: the variance instead of the mean of squares.</summary>
    public bool Centered { get; init; }
    /// <summary>rmsprop, adadelta: share of the old mean of squares.</summary>
    public double Smoothing { get; init; } = 0.9;
    /// <summary>adafactor: steps are relative to the size of each parameter.</summary>
    public bool RelativeStep { get; init; }
    /// <summary>adafactor: largest root mean square of an update before its rate.</summary>
    public double UpdateClip { get; init; } = 1;
    public ScheduleSpec Schedule { get; init; } = new();
}

public sealed record ScheduleSpec
{
    /// <summary>The course of the rate; the job schema lists them.</summary>
    public string Kind { get; init; } = "constant";
    /// <summary>step: steps between two cuts; cosine-restarts: length of the first cycle.</summary>
    public long Every { get; init; } = 1000;
    /// <summary>multi-step: the steps at which the rate is cut.</summary>
    public IReadOnlyList<int> Milestones { get; init; } = [];
    /// <summary>
    /// step, multi-step, exponential: factor of a cut; cosine-restarts: growth of a cycle; polynomial: the power.
    /// </summary>
    public double Factor { get; init; } = 0.1;
    /// <summary>Steps of linear warm-up.</summary>
    public long Warmup { get; init; }
    /// <summary>cosine: the last rate as a share of the first.</summary>
    public double Floor { get; init; }
    /// <summary>one-cycle: down as slowly as up, then to the last rate.</summary>
    public bool ThreePhase { get; init; }
}

public sealed record ClipSpec
{
    /// <summary>0: no clipping.</summary>
    public double GlobalNorm { get; init; }
    /// <summary>Largest size of an element; 0: any.</summary>
    public double Value { get; init; }
    /// <summary>Largest norm of one parameter's gradient; 0: any.</summary>
    public double ParameterNorm { get; init; }
    /// <summary>Largest norm over one layer (weight and bias); 0: any.</summary>
    public double LayerNorm { get; init; }
    /// <summary>Largest norm of a unit's gradient as a share of the norm of its weights; 0: any.</summary>
    public double WeightNorm { get; init; }
    /// <summary>The bound of the global norm is this percentile of the norms of the last steps; 0: none.</summary>
    public double Percentile { get; init; }
    /// <summary>Steps that percentile looks at.</summary>
    public int Window { get; init; } = 100;
    /// <summary>The bound of the global norm is this multiple of its running mean; 0: none.</summary>
    public double Average { get; init; }
}

public sealed record GradientSpec
{
    /// <summary>skip, stop or clean: what becomes of a step whose gradient is not finite.</summary>
    public string NonFinite { get; init; } = "skip";
    /// <summary>Variance of the noise that is added in the first step; 0: none.</summary>
    public double Noise { get; init; }
}

public sealed record AverageSpec
{
    /// <summary>Share of the old average of weights that is kept each step; 0: no average.</summary>
    public double Decay { get; init; }
    /// <summary>Tests use the average.</summary>
    public bool Evaluate { get; init; } = true;
}

public sealed record ParallelSpec
{
    /// <summary>0: auto, as many as there are workers.</summary>
    public int Data { get; init; }
    public int Tensor { get; init; } = 1;
    public int Pipeline { get; init; } = 1;
}

public sealed record SyncSpec
{
    public string Algorithm { get; init; } = "auto";
    public string Codec { get; init; } = "none";
    public int BucketBytes { get; init; } = 4 << 20;
    /// <summary>local: who holds a step applies it; unanimous: not before all members said that they do.</summary>
    public string Commit { get; init; } = "local";
}

public sealed record CheckpointSpec
{
    /// <summary>Steps between two saves; 0: only at the end.</summary>
    public long Every { get; init; } = 100;
    public int Keep { get; init; } = 3;
}

public sealed record ElasticSpec
{
    public int Min { get; init; } = 1;
    public int Max { get; init; } = 8;
}

public sealed record TimeoutSpec
{
    public int BeatMs { get; init; } = 250;
    public int DeadMs { get; init; } = 1_000;
    public int StallMs { get; init; }
}
