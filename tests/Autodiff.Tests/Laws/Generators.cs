using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;
using FsCheck;
using FsCheck.Fluent;

namespace Convoy.Autodiff.Tests.Laws;

/// <summary>A tensor in a form that prints and shrinks.</summary>
public sealed record Numbers(int[] Dims, double[] Values)
{
    public Tensor Tensor => Autodiff.Tensors.Tensor.Of<double>(Values, new Shape(Dims));

    public override string ToString() => $"[{string.Join(", ", Dims)}] {string.Join(" ", Values)}";
}

/// <summary>An einsum of two operands, with the sizes of its letters.</summary>
public sealed record Contraction(string Left, string Right, string Result, Numbers A, Numbers B)
{
    public string Spec => $"{Left},{Right}->{Result}";

    public override string ToString() => $"{Spec}: {A}; {B}";
}

/// <summary>
/// GV-05: random shapes and values, small ones more often; a failing case shrinks to fewer elements and rounder
/// numbers.
/// </summary>
internal static class Generators
{
    private const string Letters = "abcd";

    private static readonly Config Repeatable = Config.QuickThrowOnFailure.WithReplay(1234567, 89);

    /// <summary>0 to 3 dimensions of 1 to 4.</summary>
    public static Gen<int[]> Shapes =>
        from rank in Gen.Choose(0, 3)
        from dims in Gen.Choose(1, 4).ArrayOf(rank)
        select dims;

    /// <summary>Numbers of usual size, among them 0 and whole ones.</summary>
    public static Gen<double> Usual => Gen.Frequency(
        (6, from n in Gen.Choose(-30_000, 30_000) select n / 10_000.0),
        (2, from n in Gen.Choose(-3, 3) select (double)n),
        (1, Gen.Constant(0.0)));

    /// <summary>Numbers from 1e-300 to 1e150 in size, of either sign.</summary>
    public static Gen<double> Extreme =>
        from digits in Gen.Choose(100, 999)
        from exponent in Gen.Choose(-300, 150)
        from sign in Gen.Elements(-1.0, 1.0)
        select sign * digits / 100 * Math.Pow(10, exponent);

    public static Arbitrary<Numbers> Tensors(Gen<double>? of = null) => Arb.From(
        from dims in Shapes from numbers in Filled(dims, of ?? Usual) select numbers, Shrunk);

    /// <summary>Several tensors of one shape.</summary>
    public static Arbitrary<Numbers[]> Alike(int count) => Arb.From(
        from dims in Shapes from all in Filled(dims, Usual).ArrayOf(count) select all);

    public static Arbitrary<Contraction> Contractions => Arb.From(
        from sizes in Gen.Choose(1, 3).ArrayOf(Letters.Length)
        from left in Gen.SubListOf([.. Letters])
        from right in Gen.SubListOf([.. Letters])
        from kept in Gen.SubListOf([.. left.Union(right)])
        from swapped in Gen.Shuffle([.. right])
        from result in Gen.Shuffle([.. kept])
        from a in Filled([.. left.Select(c => sizes[Letters.IndexOf(c, StringComparison.Ordinal)])], Usual)
        from b in Filled([.. swapped.Select(c => sizes[Letters.IndexOf(c, StringComparison.Ordinal)])], Usual)
        select new Contraction(string.Concat(left), string.Concat(swapped), string.Concat(result), a, b));

    /// <summary>The same cases in every run; a law that is held for each operator takes fewer of them.</summary>
    public static void Holds<T>(Arbitrary<T> cases, Func<T, bool> law, int count = 60) =>
        Check.One(Repeatable.WithMaxTest(count), Prop.ForAll(cases, law));

    private static Gen<Numbers> Filled(int[] dims, Gen<double> of) =>
        from values in of.ArrayOf(dims.Aggregate(1, (n, d) => n * d))
        select new Numbers(dims, values);

    private static IEnumerable<Numbers> Shrunk(Numbers x)
    {
        // Without one dimension, keeping its first part; then one number as 0, then rounded.
        for (var d = 0; d < x.Dims.Length; d++)
        {
            if (x.Dims[d] == 1) continue;
            var first = x.Tensor.Slice([.. Enumerable.Range(0, d).Select(_ => SliceSpec.All), SliceSpec.Range(0, 1)]);
            yield return new Numbers(first.Shape.Dims.ToArray(), first.ToArray<double>());
        }

        for (var i = 0; i < x.Values.Length; i++)
        {
            foreach (var simpler in new[] { 0, Math.Round(x.Values[i]) })
            {
                if (x.Values[i] == simpler) continue;
                double[] values = [.. x.Values];
                values[i] = simpler;
                yield return x with { Values = values };
            }
        }
    }
}
