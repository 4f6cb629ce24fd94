namespace Convoy.Autodiff.Ops;

// y = the largest of x over axes        keep: reduced dimensions stay as 1
// dx = dy where x = y; elements that are equal share it evenly, or the attribute ties
// names who gets it: first or last in row-major order
internal sealed class Max : ExtremeOp
{
    public override string Name => "max";

    private protected override void Run<T>(OpCall call) =>
        Reduction.Rows<T, LargestFold<T>>(call, call.Attributes.Ints("axes").AsSpan());
}
