namespace Convoy.Autodiff.Ops;

// y_n = vector n along dimension n of the product of all vectors (row-major, "ij" indexing)
internal sealed class Meshgrid : CompositeOp
{
    public override string Name => "meshgrid";
    private protected override (int Least, int Most) Arity => (1, 8);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        Require(x.All(v => v.Type.Rank == 1 && v.Type.DType == x[0].Type.DType), "takes vectors of one element type");
        Tensors.Dim[] grid = [.. x.Select(v => v.Type[0])];
        return [.. x.Select((v, n) =>
            v.Reshape([.. grid.Select((d, i) => i == n ? d : new Tensors.Dim(1))]).BroadcastTo(grid))];
    }
}
