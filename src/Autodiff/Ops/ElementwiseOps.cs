using System.Numerics;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// An operator whose element i depends on elements i alone, with the same bits wherever a block of it is computed.
/// </summary>
internal interface IBlockwise
{
    /// <summary>y = f(a, b, c) on a block; operands that there are none of are empty. y may be one of them.</summary>
    void Block(
        Attributes attributes, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> y);
}

/// <summary>
/// y = f(x), element by element: what all such operators share. The files of the family add the gradient.
/// </summary>
internal abstract class UnaryOp<TOperator> : FloatOp, IBlockwise where TOperator : struct, IUnaryOperator
{
    public override string Sharding => "a... -> a...";

    internal override Value[]? Batched(OpBatch b) => b.Elementwise();

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        return [inputs[0]];
    }

    internal override bool MayOverwrite(int input) => true;

    // A diagonal Jacobian is its own transpose.
    internal override Value?[] Tangent(OpTangent t) => Backward(t.AsGradient());

    private protected override void Run<T>(OpCall call) =>
        Elementwise.Unary<T, TOperator>(call.In<T>(0), call.Out<T>());

    public void Block(
        Attributes attributes, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> y) =>
        Elementwise.Unary<float, TOperator>(a, y);
}

/// <summary>z = f(x, y), element by element, dimensions of size 1 repeated.</summary>
internal abstract class BinaryOp<TOperator> : FloatOp, IBlockwise where TOperator : struct, IBinaryOperator
{
    public override string Sharding => "a..., a... -> a...";

    internal override Value[]? Batched(OpBatch b) => b.Elementwise();

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        RequireFloat(inputs);
        return [Broadcasting.Common(this, inputs[0], inputs[1])];
    }

    internal override bool MayOverwrite(int input) => true;

    private protected override void Run<T>(OpCall call) => Broadcasting.Run<T, TOperator>(call);

    public void Block(
        Attributes attributes, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> y) =>
        Elementwise.Binary<float, TOperator>(a, b, y);
}

/// <summary>z = f(x, c) with a constant of the node's attributes.</summary>
internal abstract class ConstantOp<TOperator> : FloatOp, IBlockwise where TOperator : struct, IBinaryOperator
{
    public override string Sharding => "a... -> a...";

    internal override Value[]? Batched(OpBatch b) => b.Elementwise();

    /// <summary>The attribute that holds the constant, and its value when the node has none.</summary>
    private protected abstract (string Name, double Otherwise) Constant { get; }

    internal double ConstantOf(Attributes attributes) => attributes.Number(Constant.Name, Constant.Otherwise);

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        RequireFloat(inputs);
        return [inputs[0]];
    }

    internal override bool MayOverwrite(int input) => true;

    internal override Value?[] Tangent(OpTangent t) => Backward(t.AsGradient());

    private protected override void Run<T>(OpCall call)
    {
        var constant = T.CreateTruncating(ConstantOf(call.Attributes));
        Elementwise.BinaryScalar<T, TOperator>(call.In<T>(0), constant, call.Out<T>());
    }

    public void Block(
        Attributes attributes, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> y) =>
        Elementwise.BinaryScalar<float, TOperator>(a, float.CreateTruncating(ConstantOf(attributes)), y);
}
