using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

// z = every element of a tensor x times the tensor y        x_IJ.., y_KL.. -> z_(IK)(JL)..
// missing leading dimensions are 1
internal sealed class Kron : CompositeOp
{
    public override string Name => "kron";
    private protected override (int Least, int Most) Arity => (2, 2);

    private protected override Value[] Formula(Builder builder, Attributes attributes, Value[] x)
    {
        Require(x.All(m => m.Type.IsStatic), $"takes tensors of fixed shape, not {x[0].Type.Text} and {x[1].Type.Text}");
        var rank = Math.Max(x[0].Type.Rank, x[1].Type.Rank);
        var (left, right, both) = (new Dim[2 * rank], new Dim[2 * rank], new Dim[rank]);
        for (var i = 0; i < rank; i++)
        {
            var (a, b) = (SizeOf(x[0], i - rank), SizeOf(x[1], i - rank));
            (left[2 * i], left[(2 * i) + 1], right[2 * i], right[(2 * i) + 1]) = (a, 1, 1, b);
            both[i] = checked(a * b);
        }

        return [(x[0].Reshape(left) * x[1].Reshape(right)).Reshape(both)];
    }

    private static int SizeOf(Value x, int fromEnd) => x.Type.Rank + fromEnd < 0 ? 1 : x.Type[fromEnd].Size;
}
