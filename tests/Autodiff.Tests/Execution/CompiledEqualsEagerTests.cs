using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Autodiff.Tests.Laws;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>
/// AD-09, GV-05: the compiled program and the tape give the same bits, because they share operators and gradients.
/// </summary>
public sealed class CompiledEqualsEagerTests
{
    [Theory]
    [InlineData("mlp", 9)]
    [InlineData("cnn", 5)]
    [InlineData("gpt", 4)]
    [InlineData("tied", 7)]
    public void GradientsAndLoss_AreEqualToTheBit(string model, int rows)
    {
        var graph = SmallModels.Build(model);
        using var program = TrainProgram.Compile(graph, rows);
        var batch = program.CreateBatch(rows);
        SmallModels.Fill(batch, 0, rows, SmallModels.Classes(model));
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(11, weights);
        var gradient = new float[weights.Length];
        var loss = new double[1];
        program.Run(batch, StepSlices.Single(rows), 1, weights, [gradient.AsMemory()], loss, null);

        var bindings = Bindings(graph, program, batch, weights);
        var outputs = GraphRunner.Run(graph, bindings);
        outputs["loss_sum"].Backward();
        foreach (var slot in program.Layout.Slots)
        {
            var eager = bindings[slot.Name].Gradient!.ToArray<float>();
            var compiled = gradient.AsSpan((int)slot.Offset, (int)slot.Length).ToArray();
            Assert.True(
                eager.AsSpan().SequenceEqual(compiled),
                $"{slot.Name}: {string.Join(" ", eager.Zip(compiled).Where(p => p.First != p.Second).Take(3))}");
        }

        Assert.Equal(outputs["loss_sum"].Data.At(), loss[0], 1e-4);
        var result = program.Evaluate(batch, weights);
        Assert.Equal(loss[0], result.LossSum);
        Assert.Equal((double)result.Correct, outputs["correct"].Data.At());
        var logits = new float[outputs["logits"].Data.Count];
        program.Logits(batch, weights, logits);
        Assert.Equal(outputs["logits"].Data.ToArray<float>(), logits);
    }

    /// <summary>Random programs: dynamic operands, repeated values, branches, things for every pass to find.</summary>
    [Fact]
    public void RandomModels_AreEqualToTheBit() => Generators.Holds(Recipe.All, recipe =>
    {
        const int Rows = 6;
        var graph = recipe.Model(DType.Float32);
        using var program = TrainProgram.Compile(graph, Rows);
        var batch = program.CreateBatch(Rows);
        SmallModels.Fill(batch, 0, Rows, 5);
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(3, weights);
        var gradient = new float[weights.Length];
        var loss = new double[1];
        program.Run(batch, StepSlices.Single(Rows), 1, weights, [gradient.AsMemory()], loss, null);

        var bindings = Bindings(graph, program, batch, weights);
        var outputs = GraphRunner.Run(graph, bindings);
        outputs["loss_sum"].Backward();
        Assert.Equal(outputs["loss_sum"].Data.At(), loss[0], 1e-5 * Math.Abs(loss[0]));
        foreach (var slot in program.Layout.Slots)
        {
            var compiled = gradient.AsSpan((int)slot.Offset, (int)slot.Length).ToArray();
            var eager = bindings[slot.Name].Gradient?.ToArray<float>() ?? new float[slot.Length];
            Assert.True(eager.AsSpan().SequenceEqual(compiled), $"{slot.Name}: "
                + string.Join(" ", eager.Zip(compiled).Where(p => p.First != p.Second).Take(3)));
        }

        return true;
    }, 60);

    private static Dictionary<string, Variable> Bindings(
        Graph graph, TrainProgram program, BatchBuffer batch, float[] weights)
    {
        var bindings = new Dictionary<string, Variable>();
        foreach (var slot in program.Layout.Slots)
        {
            var values = weights.AsSpan((int)slot.Offset, (int)slot.Length);
            bindings[slot.Name] = new Variable(Tensor.Of<float>(values, slot.Shape), requiresGradient: true);
        }

        foreach (var input in graph.Inputs)
        {
            var shape = input.Type.At(batch.Rows);
            bindings[input.Name] = new Variable(
                input.Type.DType == DType.Float32
                    ? Tensor.Of<float>(batch.Floats(input.Name)[..(int)shape.Count], shape)
                    : Tensor.Of<int>(batch.Ints(input.Name)[..(int)shape.Count], shape));
        }

        return bindings;
    }
}
