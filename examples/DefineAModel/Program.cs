using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

// A model of your own: two spirals, told apart by a small network with a residual block.
//   dotnet run -c Release --project examples/DefineAModel
//
// 1. The model is written once against GraphBuilder. Nothing is computed here: the calls record a graph, and the graph
// is
//    all that a cluster ever sees.
var graph = DefineModel();
Console.WriteLine(GraphPrinter.Text(graph));

// 2. A graph is bytes: this is what travels to workers, and the digest names it.
var bytes = GraphCodec.Encode(graph);
Console.WriteLine($"{bytes.Length} bytes, sha256 {Convert.ToHexStringLower(GraphCodec.Sha256(graph))[..16]}");

// 3. Compiled, it trains: forward, gradients and update of flat vectors.
const int Rows = 256;
const int Steps = 300;
using var program = TrainProgram.Compile(GraphCodec.Decode(bytes), Rows);
var weights = new float[program.Layout.TotalLength];
program.Initialize(seed: 1, weights);
var gradient = new float[weights.Length];
var optimizer = Optimizer.Create(new OptimizerSpec { Kind = "adamw", Lr = 0.01 }, Steps);
Memory<float>[] state = [.. optimizer.StateNames.Select(_ => new float[weights.Length].AsMemory())];
var batch = program.CreateBatch(Rows);
var share = StepSlices.Single(Rows);
var loss = new double[1];
for (var step = 1; step <= Steps; step++)
{
    Spirals(batch, step);
    program.Run(batch, share, step, weights, [gradient], loss, observer: null);
    var norm = GlobalNorm.Of(gradient) / Rows;
    optimizer.Apply(weights, gradient, state, step, GlobalNorm.ClipFactor(norm, 1) / Rows);
    if (step % 50 == 0) Console.WriteLine($"step {step}: loss {loss[0] / Rows:f4}, gradient {norm:f3}");
}

Spirals(batch, 0);
Console.WriteLine($"accuracy {program.Evaluate(batch, weights).Accuracy:p1}");

static Graph DefineModel()
{
    var graph = new GraphBuilder();
    var x_N2 = graph.Input("x", DType.Float32, Dim.Batch, 2);
    var h_NW = graph.Dense("lift", x_N2, 32).Silu();
    using (graph.Scope("block"))
    {
        var inner_NW = graph.Dense("up", graph.LayerNorm("norm", h_NW), 64).Silu();
        h_NW += graph.Dense("down", inner_NW, 32);
    }

    graph.Classify(graph.Dense("head", h_NW, 2));
    return graph.Build();
}

// Points on two arms that wind around each other; a function of the step, so a run can be repeated.
static void Spirals(BatchBuffer batch, int step)
{
    var stream = new RandomStream(1, RandomPurpose.Mask, (ulong)step);
    var x = batch.Floats("x");
    batch.Rows = Rows;
    for (var i = 0; i < Rows; i++)
    {
        var (t, arm) = (stream.Uniform(2 * i), i % 2);
        var angle = (t * 3 * MathF.PI) + (arm * MathF.PI);
        x[2 * i] = (t * MathF.Cos(angle) * 2) + (0.02f * stream.Normal((2 * Rows) + i));
        x[(2 * i) + 1] = t * MathF.Sin(angle) * 2;
        batch.Ints("y")[i] = arm;
    }
}
