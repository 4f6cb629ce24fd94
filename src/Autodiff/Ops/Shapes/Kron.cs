namespace Convoy.Autodiff.Ops;

// z = every element of a matrix x times the matrix y        x_IJ, y_KL -> z_(IK)(JL)
internal sealed class Kron : CompositeOp
{
    public override string Name => "kron";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        Require(x.All(m => m.Type.Rank == 2 && m.Type.IsStatic),
            $"takes matrices, not {x[0].Type.Text} and {x[1].Type.Text}");
        var (i, j, k, l) = (x[0].Type[0].Size, x[0].Type[1].Size, x[1].Type[0].Size, x[1].Type[1].Size);
        return [(x[0].Reshape(i, 1, j, 1) * x[1].Reshape(1, k, 1, l)).Reshape(i * k, j * l)];
    }
}
