using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Ops;

// y = 1 where the largest logit (the first of equals) is the target, else 0        x_..C, targets_.. -> y_..
// no gradient: it counts
internal sealed class Correct : FloatOp
{
    public override string Name => "correct";
    public override string Sharding => "a... ^c, a... -> a...";

    internal override Value[]? Batched(OpBatch b) => b.Leading();

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 2);
        return [OpTable.CrossEntropy.Infer(attributes, inputs)[0]];
    }

    private protected override void Run<T>(OpCall call)
    {
        var x = call.In<T>(0);
        var targets = call.In<int>(1);
        var y = call.Out<T>();
        var classes = call.Inputs[0].Shape[-1];
        Span<int> place = stackalloc int[1];
        for (var r = 0; r < y.Length; r++)
        {
            Reduce.ArgMaxRows(x.Slice(r * classes, classes), classes, place);
            y[r] = place[0] == targets[r] ? T.One : T.Zero;
        }
    }

    internal override Value?[] Backward(OpGradient g) => [null, null];
}
