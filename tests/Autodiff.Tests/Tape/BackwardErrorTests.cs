using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// AD-05, AD-07, AD-11, AD-13, ERR-01, ERR-02, GV-07: what cannot be differentiated is said in one line that names the
/// operator, what is wrong with which operand, and what to do; never zeros in place of an answer.
/// </summary>
public sealed class BackwardErrorTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    private static void Says(Action run, params string[] parts) =>
        Says<GradientException>(ErrorCode.Gradient, run, parts);

    private static void Refuses(Action run, params string[] parts) =>
        Says<ShapeException>(ErrorCode.ShapeMismatch, run, parts);

    private static void Says<T>(ErrorCode code, Action run, params string[] parts) where T : ConvoyException
    {
        var error = Assert.Throws<T>(run);
        Assert.Equal(code, error.ErrorCode);
        Assert.DoesNotContain('\n', error.Message);
        foreach (var part in parts) Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Backward_OfALeaf_IsItsSeed()
    {
        var x = Of(2);
        x.Backward();
        x.Backward(Tensor.Of([5.0], 1));
        Assert.Equal(6, x.Gradient!.At(0));
        var hooked = Of(1, 2);
        hooked.OnGradient(g => (Variable)(g * 3));
        hooked.Backward(Tensor.Of([1.0, 10], 2));
        Assert.Equal([3, 30], hooked.Gradient!.ToArray<double>());
    }

    [Fact]
    public void Backward_OfNothingThatAsks_IsRefused()
    {
        var x = new Variable(Tensor.Of([2.0], 1));
        Says(() => ((Variable)x.Square()).Backward(), "backward of float64[1]", "requiresGradient: true");
        Variable y;
        using (GradientMode.Off()) y = (Variable)Of(2).Square();
        Says(() => y.Backward(), "scope without recording");
        Says(() => y.Detach().Backward());
    }

    [Fact]
    public void Gradients_WithRespectToWhatWasNotRecorded_AreRefused_NotZero()
    {
        // y = x² w is recorded from w on: the gradient of x would lack 2 x w.
        var (x, w) = (new Variable(Tensor.Of([2.0], 1)), Of(3));
        var y = (Variable)(x.Square() * w);
        Says(() => Differentiate.Gradient([y], [w, x]),
            "input 1, float64[1], asks for no gradient", "requiresGradient");
        Says(() => Differentiate.Lazy([y], [x]), "input 0");
        Says(() => Differentiate.Forward([y], [x], [Of(1)]), "input 0");
        Assert.Equal(4, Differentiate.Gradient([y], [w])[0].Data.At(0));
    }

    [Fact]
    public void SeedsAndTangents_AreOneForEach()
    {
        var x = Of(2);
        Variable[] y = [(Variable)x.Square(), (Variable)x.Exp()];
        Refuses(() => Differentiate.Gradient(y, [x], [Of(1)]), "1 seeds for 2 outputs");
        Refuses(() => Differentiate.Forward(y, [x], []), "0 tangents for 1 inputs");
        Says(() => _ = Differentiate.Lazy(y, [x])[1], "1 inputs", "none is 1");
    }

    [Fact]
    public void AReleasedHistory_NamesTheOperator_AndWhatToDo()
    {
        var x = Of(2);
        var trunk = (Variable)x.Square();
        ((Variable)trunk.Exp()).Backward();
        Says(() => ((Variable)trunk.Sin()).Backward(), "square", "released", "retain: true", "call backward once");
    }

    [Fact]
    public void AWriteInPlace_NamesOperatorOperandAndShape()
    {
        var (x, y) = (Of(1, 2), Of(3, 4));
        var product = (Variable)(x * y);
        y.Data.Fill(0);
        Says(() => product.Backward(Tensor.Ones(DType.Float64, 2)), "multiply", "operand 1, float64[2],", "copy");
        var exp = (Variable)x.Exp();
        exp.Data.Fill(0);
        Says(() => exp.Backward(Tensor.Ones(DType.Float64, 2)), "exp: its result was written");
    }

    [Fact]
    public void Hooks_AreThere_AndReturnAGradient()
    {
        var x = Of(1, 2);
        Assert.Throws<ArgumentNullException>(() => x.OnGradient(null!));
        x.OnGradient(_ => null!);
        Refuses(() => ((Variable)x.Sum()).Backward(), "hook returned nothing", "float64[2]");
        Assert.Null(x.Gradient);
    }

    [Fact]
    public void DerivativesOfWholeNumbers_AndVectorsThatDoNotFit_AreRefused()
    {
        var x = Tensor.Of([1.0, 3, 2], 3);
        Refuses(() => Derivatives.Jacobian(v => (Variable)v.ArgMax(0), x), "int32[]", "no derivative");
        Refuses(() => Derivatives.HessianVector(v => (Variable)v.Sum(), x, Tensor.Of([1.0], 1)),
            "v of float64[1] does not belong to x of float64[3]");
        Refuses(() => Derivatives.Jvp(v => v, x, Tensor.Of([1f, 1, 1], 3)), "a tangent of float32[3]");
        // ERR-01: what to do where the matrix of derivatives has too many dimensions.
        Refuses(() => Derivatives.Hessian(v => (Variable)v.Square().Sum(), Tensor.Ones(DType.Float64, 1, 1, 2, 1, 1)),
            "all derivatives of [1, 1, 2, 1, 1] by [1, 1, 2, 1, 1] have 10 dimensions, a tensor has at most 8: take x "
            + "as a vector and reshape it in the function");
    }

    // MON-07: the first NaN, wherever it comes from, and the gradient in which it came.
    [Fact]
    public void Anomalies_AreFoundInGradients_AndInWhatComesFromOutside()
    {
        using var scope = AnomalyMode.On(step: 7);
        using (AnomalyMode.On(step: 8)) { }
        string Found(Action run) => Assert.Throws<AnomalyException>(run).Message;
        var zero = Of(0);
        Assert.Equal(
            "divide in the gradient of sqrt: element 0 of its result is NaN in step 7, its operands [1], [1] hold none",
            Found(() => ((Variable)((zero * 0.0).Sqrt() * 0.0)).Backward()));
        Assert.Equal("log: element 1 of its result is NaN in step 7, its operands [2] hold none",
            Found(() => Of(1, -1).Log()));
        Assert.StartsWith(
            "exp: element 1 of its operand 0, float64[2], is NaN already in step 7: it comes from the data", Found(() => Of(1, double.NaN).Exp()), StringComparison.Ordinal);
        var y = (Variable)Of(1).Exp();
        Assert.Contains("in the gradient of exp: element 0 of its operand",
            Found(() => y.Backward(Tensor.Of([double.NaN], 1))), StringComparison.Ordinal);
        var hooked = (Variable)Of(1).Exp();
        hooked.OnGradient(_ => new Variable(Tensor.Of([double.NaN], 1)));
        Assert.Contains(
            "a seed or a hook", Found(() => ((Variable)hooked.Square()).Backward()), StringComparison.Ordinal);
    }

    // HO-02: a cotangent that does not fit was multiplied with all the same by some ways.
    [Fact]
    public void Cotangents_FitTheResult_WhicheverWayTheyGo()
    {
        var f = new FunctionChain(x => x.Sin());
        var (x, u) = (Tensor.Of([1.0], 1), Tensor.Of([1.0, 2], 2));
        foreach (var way in new[] { VjpStrategy.Standard, VjpStrategy.Checkpointed, VjpStrategy.Vectorized,
            VjpStrategy.Fused(f), VjpStrategy.Adaptive() })
        {
            Refuses(() => way.Run(f, x, u), "float64[2] does not belong to a result of float64[1]");
            Refuses(() => way.Run(f, x, Tensor.Of([1f], 1)), "float32[1]");
        }
    }

    // AD-09: what is bound to a graph has the graph's shapes, in one batch.
    [Fact]
    public void WhatIsBoundToAGraph_HasItsShapes()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 3);
        b.Output("y", x.Linear(b.Parameter("w", ParameterInit.Ones, 2, 3)));
        var graph = b.Build();
        void Refused(string part, Tensor rows, Tensor w) => Assert.Contains(part, Assert.Throws<GraphException>(() =>
            GraphRunner.Run(graph, new Dictionary<string, Variable> { ["x"] = new(rows), ["w"] = new(w) })).Message,
            StringComparison.Ordinal);
        Tensor Ones(params int[] dims) => Tensor.Ones(DType.Float32, dims);
        Refused("parameter w is float32[2, 3], not float32[4, 3]", Ones(5, 3), Ones(4, 3));
        Refused("input x is float32[N, 3], not float32[5, 4]", Ones(5, 4), Ones(2, 3));
        Refused("not int32[5, 3]", Tensor.Zeros(DType.Int32, 5, 3), Ones(2, 3));
        Refused("not float32[3]", Ones(3), Ones(2, 3));
    }

    [Fact]
    public void GradientsInFloat32_AreNotChecked_AndSaySo() => Says<ShapeException>(ErrorCode.ElementType,
        () => GradCheck.Run(x => (Variable)x[0].Square(), [Tensor.Of([1f], 1)]), "float64", "float32[1]", "cast");
}
