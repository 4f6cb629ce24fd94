using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// z = a where c is not 0, else b        c (numbers or int32), a, b -> z, dimensions of size 1 repeated
// da = dz where c is not 0, else 0     db = 0 where c is not 0, else dz
internal sealed class Where : FloatOp, IBlockwise
{
    public override string Name => "where";
    public override string Sharding => "a..., a..., a... -> a...";

    internal override Value[]? Batched(OpBatch b) => b.Elementwise();

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 3);
        RequireFloat(inputs[1], inputs[2]);
        Require(
            inputs[0].DType == DType.Int32 || inputs[0].DType == inputs[1].DType,
                $"the condition is {inputs[0]}, not int32 or {inputs[1].DType}: cast it first");
        var values = Broadcasting.Common(this, inputs[1], inputs[2]);
        return [values.With(Broadcasting.Common(this, values, inputs[0]).Dims.AsSpan())];
    }

    private protected override void Run<T>(OpCall call)
    {
        var (c, a, b, y) = (call.Inputs[0], call.Inputs[1], call.Inputs[2], call.Outputs[0]);
        if (y.Count == 0) return;
        if (c.DType == DType.Int32) Choose<int, T>(c, a, b, y);
        else Choose<T, T>(c, a, b, y);
    }

    private static void Choose<TCondition, T>(Tensor c, Tensor a, Tensor b, Tensor y)
        where TCondition : unmanaged, System.Numerics.INumberBase<TCondition> where T : unmanaged
    {
        var condition = c.Raw<TCondition>();
        var left = a.Raw<T>();
        var right = b.Raw<T>();
        var to = y.Raw<T>();
        if (c.Shape == y.Shape && a.Shape == y.Shape && b.Shape == y.Shape)
        {
            Choose(condition, left, right, to);
            return;
        }

        Span<int> stepsC = stackalloc int[y.Rank];
        Span<int> stepsA = stackalloc int[y.Rank];
        Span<int> stepsB = stackalloc int[y.Rank];
        Broadcasting.Repeated(c.Shape.Dims, stepsC);
        Broadcasting.Repeated(a.Shape.Dims, stepsA);
        Broadcasting.Repeated(b.Shape.Dims, stepsB);
        for (var i = 0; i < to.Length; i++)
        {
            var (rest, atC, atA, atB) = (i, 0, 0, 0);
            for (var axis = y.Rank - 1; axis >= 0; axis--)
            {
                var index = rest % y.Shape[axis];
                rest /= y.Shape[axis];
                (atC, atA, atB) =
                    (atC + (index * stepsC[axis]), atA + (index * stepsA[axis]), atB + (index * stepsB[axis]));
            }

            to[i] = TCondition.IsZero(condition[atC]) ? right[atB] : left[atA];
        }
    }

    // A condition of the type of the values; with int32 ones the operator stays by itself.
    public void Block(
        Attributes attributes, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, Span<float> y) =>
        Choose(a, b, c, y);

    private static void Choose<TCondition, T>(
        ReadOnlySpan<TCondition> condition, ReadOnlySpan<T> left, ReadOnlySpan<T> right, Span<T> to)
        where TCondition : unmanaged, System.Numerics.INumberBase<TCondition> where T : unmanaged
    {
        for (var i = 0; i < to.Length; i++) to[i] = TCondition.IsZero(condition[i]) ? right[i] : left[i];
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var none = g.Dy.Constant(0);
        return
        [
            null, g.Needs(1) ? g.X.Where(g.Dy, none) : null, g.Needs(2) ? g.X.Where(none, g.Dy) : null,
        ];
    }
}
