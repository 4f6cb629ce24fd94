namespace Convoy.Autodiff.Ops;

// lstm-cell over time        x_NTI, h_NH, c_NH, w, u, b -> y_NTH (all h), h_NH, c_NH (the last)
internal sealed class Lstm : CompositeOp
{
    public override string Name => "lstm";
    private protected override (int Least, int Most) Arity => (6, 6);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        var (h, c) = (x[1], x[2]);
        Require(x[0].Type.Rank == 3 && x[0].Type[1].Size > 0,
            $"the input is [N, T, I] with a step or more, not {x[0].Type.Text}");
        var all = new Value[x[0].Type[1].Size];
        for (var t = 0; t < all.Length; t++)
        {
            var next =
                builder.Apply(OpTable.LstmCell, Attributes.None,
                    [x[0].Slice(1, t, 1).Squeeze(1), h, c, x[3], x[4], x[5]]);
            (h, c) = (next[0], next[1]);
            all[t] = h;
        }

        return [Functions.Stack(1, all), h, c];
    }
}
