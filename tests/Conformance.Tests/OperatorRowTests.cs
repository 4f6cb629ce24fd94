using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;

namespace Convoy.Conformance.Tests;

/// <summary>
/// The rows of operators one by one: that the operators they name are in the table (whose checks are the matrix), and
/// what they ask beyond, in exact numbers.
/// </summary>
public sealed class OperatorRowTests
{
    public static TheoryData<string, string> Rows() => new()
    {
        { "OPS-01", "add subtract multiply divide negate" },
        { "OPS-02", "equal less greater less-equal greater-equal not-equal" },
        { "OPS-03", "relu sigmoid one-minus" },
        { "OPS-04", "tanh exp log pow pow-scalar abs sqrt square" },
        { "OPS-05", "softplus leaky-relu elu silu mish gelu gelu-tanh hard-sigmoid hard-swish" },
        { "OPS-06", "sum mean max min product" },
        { "OPS-09", "einsum matmul transpose trace" },
        { "OPS-11", "matmul" },
        { "OPS-12", "reshape" },
        { "OPS-13", "conv2d conv2d-grad-input conv2d-grad-weight" },
        { "OPS-19", "concat split stack slice pad gather scatter-add index-select lstm gru scaled-dot-product" },
        { "OPS-20", "trace determinant log-det frobenius-norm nuclear-norm spectral-norm matrix-exp matrix-log" },
        { "LOG-02", "or-max or-prob-sum nand nor xor" },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void TheOperatorsOfARow_AreInTheTable(string row, string names) =>
        Assert.All(names.Split(' '), name => Assert.True(OpTable.Find(name) is not null, $"{row}: {name}"));

    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    private static Variable Matrix(int rows, params double[] values) =>
        new(Tensor.Of(values, rows, values.Length / rows), requiresGradient: true);

    private static double[] Slopes(Variable x, Value y)
    {
        ((Variable)y.Sum()).Backward();
        return x.Gradient!.ToArray<double>();
    }

    // OPS-02: 0 and 1, and no slope of their own.
    [Fact]
    public void Comparisons_AreZeroOrOne_AndFlat()
    {
        var (x, y) = (Of(1, 2, 3), new Variable(Tensor.Of([2.0, 2, 2], 3)));
        (Func<Value, Value, Value> Op, double[] Expected)[] all =
        [
            (Functions.Equal, [0, 1, 0]), (Functions.Less, [1, 0, 0]), (Functions.Greater, [0, 0, 1]),
            (Functions.LessEqual, [1, 1, 0]), (Functions.GreaterEqual, [0, 1, 1]),
        ];
        foreach (var (op, expected) in all)
        {
            Assert.Equal(expected, ((Variable)op(x, y)).Data.ToArray<double>());
            x.ClearGradient();
            // d (x op(x)) / dx is op(x): nothing flows through the comparison.
            Assert.Equal(expected, Slopes(x, x * op(x, y)));
        }
    }

    // OPS-06: a mean divides by what one result takes, of some axes and of all.
    [Fact]
    public void Means_DivideByTheReducedCount()
    {
        (int[] Axes, double Share)[] cases = [([1], 1.0 / 3), ([0], 1.0 / 2), ([], 1.0 / 6)];
        foreach (var (axes, share) in cases)
        {
            var x = Matrix(2, 1, 2, 3, 4, 5, 6);
            Assert.Equal([.. Enumerable.Repeat(share, 6)], Slopes(x, x.Mean(axes)));
        }
    }

    // OPS-07: the selected element, and even shares of a tie.
    [Fact]
    public void LargestAndSmallest_GiveTheirGradientToTheSelected()
    {
        var x = Matrix(2, 1, 3, 2, 5, 5, 0);
        Assert.Equal([0, 1, 0, 0.5, 0.5, 0], Slopes(x, x.Max([1])));
        x.ClearGradient();
        Assert.Equal([1, 0, 0, 0, 0, 1], Slopes(x, x.Min([1])));
    }

    // OPS-08: the product of the others, one zero or two.
    [Fact]
    public void Products_HaveGradientsWhereZerosAre()
    {
        var x = Matrix(3, 2, 3, 4, 0, 5, 6, 0, 0, 7);
        Assert.Equal([12, 8, 6, 30, 0, 0, 0, 0, 0], Slopes(x, x.Product([1])));
        var one = Of(2, 0, 4);
        Assert.Equal([0, 8, 0], Slopes(one, one.Product()));
    }

    // OPS-10: results of one number too; what is no contraction is an error that points at the character.
    [Fact]
    public void Contractions_ToOneNumber_HaveGradients_AndWrongOnesAreNamed()
    {
        var (x, y) = (Matrix(2, 1, 2, 3, 4), Matrix(2, 5, 6, 7, 8));
        Assert.Equal([5, 6, 7, 8], Slopes(x, Functions.Einsum("ij,ij->", x, y)));
        x.ClearGradient();
        Assert.Equal([1, 0, 0, 1], Slopes(x, Functions.Einsum("ii->", x)));
        var wrong = Assert.ThrowsAny<ConvoyException>(() => Functions.Einsum("ij,jk->iz", x, y));
        Assert.Equal(ErrorCode.EinsumSpec, wrong.ErrorCode);
        Assert.Contains("z", wrong.Message, StringComparison.Ordinal);
    }
}
