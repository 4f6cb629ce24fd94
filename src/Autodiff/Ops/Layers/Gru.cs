namespace Convoy.Autodiff.Ops;

// gru-cell over time        x_NTI, h_NH, w, u, b, b' -> y_NTH (all h), h_NH (the last)
internal sealed class Gru : CompositeOp
{
    public override string Name => "gru";
    private protected override (int Least, int Most) Arity => (6, 6);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var h = x[1];
        Require(x[0].Type.Rank == 3 && x[0].Type[1].Size > 0,
            $"the input is [N, T, I] with a step or more, not {x[0].Type.Text}");
        var all = new Value[x[0].Type[1].Size];
        for (var t = 0; t < all.Length; t++)
        {
            h = builder.Apply(OpTable.GruCell, Attributes.None,
                [x[0].Slice(1, t, 1).Squeeze(1), h, x[2], x[3], x[4], x[5]])[0];
            all[t] = h;
        }

        return [Functions.Stack(1, all), h];
    }
}
