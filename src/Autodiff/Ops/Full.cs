using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

// y = value everywhere        -> y
// no inputs, no gradient
internal sealed class Full : LeafOp
{
    public override string Name => "full";
    internal override string Settings => "dims dtype value";

    internal override void Forward(OpCall call)
    {
        var value = call.Attributes.Number("value");
        if (call.Outputs[0].DType == DType.Float32) call.Out<float>().Fill((float)value);
        else if (call.Outputs[0].DType == DType.Float64) call.Out<double>().Fill(value);
        else call.Out<int>().Fill((int)value);
    }
}
