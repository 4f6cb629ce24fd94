namespace Convoy.Autodiff.Ops;

// y = the place of the smallest x on one axis        int32, without the axis
internal sealed class ArgMin : ArgExtreme<Smaller>
{
    public override string Name => "arg-min";
}
