using BenchmarkDotNet.Attributes;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Optim;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// Whole models: compile (passes, gradients, plan) and one training step with Adam. Networks and transformers of
/// several depths show how both grow with the graph; Allocated of a step is zero, Allocated of a compile is the cost
/// of the graph's objects.
/// </summary>
public class EndToEndBenchmarks : TeamBenchmarks
{
    private const int Slices = 8;
    private Graph? _graph;
    private TrainProgram? _program;
    private BatchBuffer? _batch;
    private StepSlices? _share;
    private Optimizer? _optimizer;
    private float[] _weights = [];
    private readonly Memory<float>[] _gradients = new Memory<float>[1];
    private readonly Memory<float>[] _state = new Memory<float>[2];
    private readonly double[] _losses = new double[Slices];
    private long _step;

    /// <summary>Family, depth (hidden layers or blocks), batch.</summary>
    [Params("mlp 2 b128", "mlp 8 b128", "mlp 32 b128", "cnn 2 b64", "gpt 1 b8", "gpt 4 b8", "gpt 8 b8")]
    public string Model { get; set; } = "mlp 2 b128";

    [Benchmark]
    public long Compile() => TrainProgram.Describe(_graph!, _program!.RowsMax).Training.PeakBytes;

    [Benchmark]
    public void Step()
    {
        using var team = Together();
        _step++;
        _program!.Run(_batch!, _share!, _step, _weights, _gradients, _losses, null);
        _optimizer!.Apply(_weights, _gradients[0].Span, _state, _step, 1.0 / _program.RowsMax);
    }

    protected override void Prepare()
    {
        var words = Model.Split(' ');
        var (depth, rows) = (int.Parse(words[1]), int.Parse(words[2].AsSpan(1)));
        var (model, data) = Spec(words[0], depth);
        _graph = ModelCatalog.Build(new JobSpec { Model = model }, data);
        _program = TrainProgram.Compile(_graph, rows);
        _batch = _program.CreateBatch(rows);
        _batch.Rows = rows;
        foreach (var input in _batch.Inputs)
            if (input.DType == DType.Float32)
                Operands.Numbers(rows * input.ElementsPerSample).CopyTo(_batch.Floats(input.Name));
        _share = new StepSlices(Slices, 0, [.. Enumerable.Repeat(rows / Slices, Slices)], Operands.Cover(Slices));
        var length = checked((int)_program.Layout.TotalLength);
        _weights = new float[length];
        _program.Initialize(1, _weights);
        _gradients[0] = new float[length];
        for (var i = 0; i < _state.Length; i++) _state[i] = new float[length];
        _optimizer = Optimizer.Create(new OptimizerSpec { Kind = "adam", Lr = 1e-3 }, 1_000_000);
    }

    private static (ModelSpec, DataShape) Spec(string family, int depth) => family switch
    {
        "mlp" => (new ModelSpec { Family = "mlp", Layers = [784, .. Enumerable.Repeat(256, depth), 10] },
            new DataShape([784], 10)),
        "cnn" => (new ModelSpec
        {
            Family = "cnn", Image = [1, 28, 28], Network = ["conv16", "pool", "conv32", "pool", "10"],
        }, new DataShape([784], 10)),
        _ => (new ModelSpec
        {
            Family = "gpt", Vocabulary = 65, Context = 128, Width = 128, Depth = depth, Heads = 4,
        }, new DataShape([128], 65)),
    };
}
