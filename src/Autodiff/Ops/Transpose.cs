using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y[.., i_p0, i_p1, ..] = x[i_0, i_1, ..]        dimension j of y is dimension perm[j] of x
// dx = dy under the inverse permutation
internal sealed class Transpose : Op
{
    public override string Name => "transpose";
    internal override string Settings => "perm";
    public override string Sharding => "a b -> b a; lin(x)";

    internal override Value[]? Batched(OpBatch b) =>
        b.Apply(Attributes.Of("perm", (int[])[0, .. b.Attributes.Ints("perm").Select(i => i + 1)]), b.Spread(0));
    internal override bool OnlyMoves => true;
    internal override bool IsLinearIn(uint inputMask) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        RequireCount(inputs, 1);
        var (x, perm) = (inputs[0], attributes.Ints("perm"));
        Require(
            perm.Length == x.Rank && perm.Order().SequenceEqual(Enumerable.Range(0, x.Rank)),
            $"[{string.Join(",", perm)}] is not a permutation of {x.Rank} dimensions");
        return [x.With([.. perm.Select(p => x[p])])];
    }

    internal override void Forward(OpCall call)
    {
        var (x, y) = (call.Inputs[0], call.Outputs[0]);
        var perm = call.Attributes.Ints("perm");
        Span<int> strides = stackalloc int[x.Rank];
        for (var i = 0; i < x.Rank; i++) strides[i] = x.Strides[perm[i]];
        if (x.Count == 0) return;
        switch (x.DType.Size())
        {
            case 1: Elementwise.CopyStrided<byte>(y.Shape.Dims, Bits<byte>(x), strides, Bits<byte>(y)); break;
            case 4: Elementwise.CopyStrided<int>(y.Shape.Dims, Bits<int>(x), strides, Bits<int>(y)); break;
            default: Elementwise.CopyStrided<long>(y.Shape.Dims, Bits<long>(x), strides, Bits<long>(y)); break;
        }
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var perm = g.Attributes.Ints("perm");
        var inverse = new int[perm.Length];
        for (var i = 0; i < inverse.Length; i++) inverse[perm[i]] = i;
        return [g.Dy.Transpose(inverse)];
    }

    private static Span<T> Bits<T>(Tensor t) where T : unmanaged => t.Storage.Span<T>(t.Offset, t.Count);
}
