using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = x0, x1, .. one after the other on one axis        all other dimensions equal
// dx_i = the slice of dy where x_i lies
internal sealed class Concat : FloatOp
{
    public override string Name => "concat";
    public override string Sharding => "!s a..., !t a... -> u a...";
    internal override string Settings => "axis";

    internal override Value[]? Batched(OpBatch b) => b.Along("axis");
    internal override bool OnlyMoves => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        Require(inputs.Length > 0, "takes at least one input");
        RequireFloat(inputs);
        var axis = attributes.Int("axis");
        Require((uint)axis < (uint)inputs[0].Rank, $"there is no dimension {axis} of {inputs[0].Text}");
        var dims = inputs[0].Dims.ToArray();
        Dim size = 0;
        foreach (var x in inputs)
        {
            Require(x.Rank == dims.Length && !x[axis].PerSample, "joins tensors of one rank, not along the batch");
            for (var i = 0; i < dims.Length; i++)
                Require(i == axis || x[i] == dims[i],
                    $"{inputs[0].Text} and {x.Text} differ beside dimension {axis}: join along another one");
            size += x[axis];
        }

        dims[axis] = size;
        return [inputs[0].With(dims)];
    }

    internal override bool IsLinearIn(uint inputMask) => (inputMask & (inputMask + 1)) == 0;

    private protected override void Run<T>(OpCall call)
    {
        var y = call.Outputs[0];
        var axis = call.Attributes.Int("axis");
        var (outer, inner) = (1, 1);
        for (var i = 0; i < axis; i++) outer *= y.Shape[i];
        for (var i = axis + 1; i < y.Rank; i++) inner *= y.Shape[i];
        var to = call.Out<T>();
        var row = y.Shape[axis] * inner;
        var at = 0;
        for (var input = 0; input < call.Inputs.Length; input++)
        {
            var part = call.Inputs[input].Shape[axis] * inner;
            var from = call.In<T>(input);
            for (var o = 0; o < outer; o++) from.Slice(o * part, part).CopyTo(to[((o * row) + at)..]);
            at += part;
        }
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var axis = g.Attributes.Int("axis");
        var gradients = new Value?[g.Inputs.Count];
        var start = 0;
        for (var i = 0; i < gradients.Length; i++)
        {
            var count = g.Inputs[i].Type[axis].Size;
            gradients[i] = g.Needs(i) ? g.Dy.Slice(axis, start, count) : null;
            start += count;
        }

        return gradients;
    }
}
