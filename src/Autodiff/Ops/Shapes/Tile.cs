namespace Convoy.Autodiff.Ops;

// y = x repeated repeats[i] times along dimension i, counted from the last; missing leading dimensions and repeats
// are 1
internal sealed class Tile : CompositeOp
{
    public override string Name => "tile";
    internal override string Settings => "repeats";
    private protected override (int Least, int Most) Arity => (1, 1);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var repeats = attributes.Ints("repeats");
        Require(repeats.All(r => r >= 0), $"[{string.Join(",", repeats)}] are not repeats: 0 or more of each dimension");
        while (repeats.Length < x[0].Type.Rank) repeats = repeats.Insert(0, 1);
        var (split, spread, merged) = (new List<Tensors.Dim>(), new List<Tensors.Dim>(), new List<Tensors.Dim>());
        for (var i = 0; i < repeats.Length; i++)
        {
            var size = i < repeats.Length - x[0].Type.Rank ? 1 : x[0].Type[i - (repeats.Length - x[0].Type.Rank)];
            split.AddRange([1, size]);
            spread.AddRange([repeats[i], size]);
            merged.Add(size * repeats[i]);
        }

        return [x[0].Reshape([.. split]).BroadcastTo([.. spread]).Reshape([.. merged])];
    }
}
