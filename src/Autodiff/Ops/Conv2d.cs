using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// y = act(x ∗ w + b)        x_NCHW, w_FCIJ (C/groups), b_F (optional) -> y_NFHW        flops 2·|y|·C·I·J
// dz = dy act'(y); dx = conv2d-grad-input, dw = conv2d-grad-weight, db = Σ samples and pixels of dz
internal sealed class Conv2d : FloatOp
{
    public override string Name => "conv2d";
    public override string Sharding => "n +c ~h ~w, f +c i j, f -> n f h w";
    internal override string Settings => "stride padding dilation groups activation";

    internal override Value[]? Batched(OpBatch b)
    {
        if (b.Folded(1) is { } folded) return folded;
        if (b.Rows.Size == 0) return null;
        Value[] x = [b.Channels(0), b.Filters(1), .. b.Inputs.Count == 3 ? [b.Filters(2)] : (Value[])[]];
        return [b.FromChannels(b.Apply(b.Grouped(), x)[0])];
    }

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        Require(inputs.Length is 2 or 3, $"takes 2 or 3 inputs, not {inputs.Length}");
        RequireFloat(inputs);
        var shape = ImageShapes.CheckConv(this, attributes, inputs[0], inputs[1]);
        Require(inputs.Length == 2 || inputs[2].Equals(inputs[1].With(inputs[1][0])),
            $"a bias has the shape [{inputs[1][0]}] for a weight of {inputs[1].Text}, not {inputs[^1].Text}");
        Require(Activations.IsKnown(attributes.Text("activation")), "the activation is unknown");
        return [inputs[0].With(inputs[0][0], inputs[1][0], shape.OutH, shape.OutW)];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows)
    {
        var terms = inputs[1].Coefficient / Math.Max(1, inputs[1][0].Size);
        return new OpCost(2 * terms * outputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var shape = ImageShapes.Conv(call.Attributes, call.Inputs[0].Shape, call.Inputs[1].Shape);
        var bias = call.Inputs.Length == 3 ? call.In<T>(2) : default;
        var activation = Activations.Kernel(call.Attributes.Text("activation"));
        Kernels.Conv2d.Forward(call.In<T>(0), call.In<T>(1), bias, call.Out<T>(), shape, activation);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var (x, w) = (g.X.Type, g.Inputs[1].Type);
        var dz = Activations.Gradient(g.Attributes.Text("activation"), g.Dy, g.Y);
        var plain = g.Attributes.Without("activation");
        var dx = g.Needs(0)
            ? dz.Apply(OpTable.Conv2dGradInput, plain.With("height", x[2].Size).With("width", x[3].Size), g.Inputs[1])
                : null;
        var dw = g.Needs(1)
            ? g.X.Apply(OpTable.Conv2dGradWeight, plain.With("height", w[2].Size).With("width", w[3].Size), dz) : null;
        if (g.Inputs.Count == 2) return [dx, dw];
        return [dx, dw, g.Needs(2) ? dz.Sum([2, 3]).Sum([0]) : null];
    }
}
