using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes.Rewriting;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// Guarantees: a constant that is repeated, reshaped or turned is one constant of the final shape, and an element-wise
/// operator of constants is a constant: its number comes out of the operator's own kernel, so every bit stays.
/// </summary>
public static class FoldConstants
{
    private static readonly Op[] Moves = [OpTable.Reshape, OpTable.BroadcastTo, OpTable.Transpose];

    private static readonly Op[] OfOne =
    [
        OpTable.Negate, OpTable.Abs, OpTable.Exp, OpTable.Log, OpTable.Sqrt, OpTable.Square, OpTable.Tanh,
        OpTable.Sigmoid, OpTable.Relu, OpTable.OneMinus, OpTable.PowScalar,
    ];

    private static readonly Op[] OfTwo =
    [
        OpTable.Add, OpTable.Subtract, OpTable.Multiply, OpTable.Divide, OpTable.Maximum, OpTable.Minimum, OpTable.Pow,
    ];

    /// <summary>All rules, in the order of their priority.</summary>
    public static readonly RuleSet All = new("constants",
    [
        new("moves of a constant", Pattern.OneOf([.. Moves.Select(op => Pattern.Of(op, Pattern.Constant("c")))]),
            m => m.Full(m.Number("c"))),
        new("f of a constant", Pattern.OneOf([.. OfOne.Select(op => Pattern.Of(op, Pattern.Constant("c")))]),
            m => Computed(m, m.Number("c"))),
        new("f of two constants",
            Pattern.OneOf([.. OfTwo.Select(op => Pattern.Of(op, Pattern.Constant("c"), Pattern.Constant("d")))]),
            m => Computed(m, m.Number("c"), m.Number("d"))),
    ]);

    /// <summary>The same results with fewer and smaller constants.</summary>
    public static Graph Run(Graph graph) => Rewriter.Run(graph, Strategy.Exhaustive(All)).Graph;

    // One element through the kernel. What is not finite stays where it arises: an error should name that place.
    private static Value? Computed(RewriteMatch m, params ReadOnlySpan<double> numbers)
    {
        var inputs = new Tensor[numbers.Length];
        for (var i = 0; i < inputs.Length; i++) inputs[i] = Tensor.Full(m.Type.DType, numbers[i], Shape.Scalar);
        var result = Tensor.Full(m.Type.DType, 0, Shape.Scalar);
        m.Op.Forward(new OpCall(m.Attributes, inputs, [result]));
        var number = result.Cast(DType.Float64).ToArray<double>()[0];
        return double.IsFinite(number) ? m.Full(number) : null;
    }
}
