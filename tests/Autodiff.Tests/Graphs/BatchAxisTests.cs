using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Graphs;

/// <summary>
/// GIR-03: a dimension that follows the batch, wherever it is in the operands of whichever operator: the graph is
/// refused, or it has the shapes and values of the same operands with the numbers in place.
/// </summary>
public sealed class BatchAxisTests
{
    public static TheoryData<string> Names() =>
        [.. OpTable.All.Where(op => OpSamples.Of(op).Any(s => s.Inputs.Length > 0)).Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void ASymbolicBatch_IsRefused_OrGivesTheValuesOfItsSize(string name)
    {
        var op = OpTable.Find(name)!;
        foreach (var sample in OpSamples.Of(op).Where(s => s.Inputs.Length > 0).Take(6))
        {
            for (var axis = 0; axis < sample.Inputs[0].Rank; axis++)
                foreach (var together in new[] { true, false }) Check(sample, axis, together);
        }
    }

    private static void Check(OpSample sample, int axis, bool together)
    {
        var size = sample.Inputs[0].Shape[axis];
        var builder = new GraphBuilder();
        var bound = new Dictionary<string, Variable>();
        Value[] results;
        try
        {
            var operands = new Value[sample.Inputs.Length];
            for (var i = 0; i < operands.Length; i++)
            {
                Dim[] dims = [.. sample.Inputs[i].Shape.Dims.ToArray().Select(d => new Dim(d))];
                // The other operands follow the batch in the same place, where they have as many elements there.
                if (i == 0 || (together && axis < dims.Length && dims[axis] == size)) dims[axis] = Dim.Batch;
                operands[i] = builder.Input($"x{i}", sample.Inputs[i].DType, dims);
                bound[$"x{i}"] = new Variable(sample.Inputs[i]);
            }

            results = builder.Apply(sample.Op, sample.Attributes, operands);
            for (var i = 0; i < results.Length; i++) builder.Output($"y{i}", results[i]);
        }
        catch (ConvoyException)
        {
            return;
        }

        var shown = $"{sample.Name} with the batch at {axis}{(together ? " of all" : "")}";
        var expected = sample.RunAll(sample.Inputs);
        var run = GraphRunner.Run(builder.Build(), bound);
        for (var i = 0; i < results.Length; i++)
        {
            var actual = run[$"y{i}"].Data;
            Assert.True(expected[i].Shape == actual.Shape, $"{shown}: {actual.Shape}, not {expected[i].Shape}");
            Assert.True(expected[i].Shape == results[i].Type.At(size), $"{shown}: said {results[i].Type.Text}");
            var (a, b) = (Numbers(expected[i]), Numbers(actual));
            for (var k = 0; k < a.Length; k++)
                Assert.True(a[k].Equals(b[k]) || Math.Abs(a[k] - b[k]) < 1e-9, $"{shown}: [{k}] {b[k]}, not {a[k]}");
        }
    }

    private static double[] Numbers(Tensor tensor) => tensor.Cast(DType.Float64).ToArray<double>();
}
