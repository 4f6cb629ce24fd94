using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>TEN-02, TEN-05: a run of a graph as tables of named tensors, with the types of its bundles.</summary>
public sealed class KeyedRunTests
{
    private static Graph Model()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 3);
        var w = b.Parameter("w", ParameterInit.Zeros, 2, 3);
        var hidden = x.Linear(w);
        b.Output("y", hidden.Relu());
        b.Output("total", hidden.Sum());
        return b.Build();
    }

    [Fact]
    public void Inputs_Intermediates_AndOutputs_AreFoundByName()
    {
        var graph = Model();
        var inputs = new TensorTable(
            ("x", Tensor.Of([1f, 2, 3, -4, -5, -6], 2, 3)), ("w", Tensor.Of([1f, 0, 0, 0, 1, 0], 2, 3)));
        var run = KeyedRun.Of(graph, inputs);
        Assert.Equal([1f, 2, -4, -5], run.Intermediates["linear_2"].ToArray<float>());
        Assert.Equal([1f, 2, 0, 0], run.Outputs["y"].ToArray<float>());
        Assert.Equal(-6, run.Outputs["total"].At());
        Assert.Equal(graph.Nodes.Length - 2, run.Intermediates.Count);
        Assert.Same(inputs, run.Inputs);
        Assert.False(KeyedRun.OutputsOf(graph).Check(run.Outputs).HasErrors);
        Assert.Contains("linear_2", Assert.Throws<ShapeException>(() => run.Intermediates["none"]).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void FurtherResultsOfANode_HaveNamesToo()
    {
        var b = new GraphBuilder();
        var (values, _) = b.Input("x", DType.Float64, 3).Sort(0);
        b.Output("y", values);
        var run = KeyedRun.Of(b.Build(), new TensorTable(("x", Tensor.Of([3.0, 1, 2], 3))));
        Assert.Equal([1, 2, 0], run.Intermediates["sort_1.1"].ToArray<int>());
    }

    [Fact]
    public void EverythingWrongWithTheInputs_IsSaidAtOnce()
    {
        var inputs = new TensorTable(("x", Tensor.Zeros(DType.Int32, 2, 4)), ("z", Tensor.Zeros(DType.Float32, 1)));
        var found = KeyedRun.InputsOf(Model())
            .Check(inputs).Found.Select(f => $"{f.Diagnostic.Where}: {f.Diagnostic.Text}");
        Assert.Equal(
            [
                "x: takes float32 or float64, not Int32", "x: dimension 1 is 4, not 3 (operands [2, 4])",
                "w: is missing",
                "z: is not asked for",
            ],
            found);
        Assert.Throws<DiagnosticException>(() => KeyedRun.Of(Model(), inputs));
        Assert.Throws<ShapeException>(() => inputs.Add("x", Tensor.Zeros(DType.Int32)));
    }

    [Fact]
    public void OneLetter_IsOneSize_InAllTensors()
    {
        var type = new BundleType(
            ("a", DType.Float32, ShapeContract.Parse("N, 2")), ("b", DType.Float32, ShapeContract.Parse("3N")));
        var wrong = new TensorTable(("a", Tensor.Zeros(DType.Float32, 4, 2)), ("b", Tensor.Zeros(DType.Float32, 9)));
        Assert.StartsWith("N is 3 in dimension 0 and 4 before", type.Check(wrong).Found[0].Diagnostic.Text,
            StringComparison.Ordinal);
    }
}
