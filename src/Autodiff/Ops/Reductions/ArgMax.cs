namespace Convoy.Autodiff.Ops;

// y = the place of the largest x on one axis        int32, without the axis
internal sealed class ArgMax : ArgExtreme<Larger>
{
    public override string Name => "arg-max";
}
