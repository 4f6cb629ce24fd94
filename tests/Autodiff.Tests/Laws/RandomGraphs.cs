using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;
using FsCheck;
using FsCheck.Fluent;

namespace Convoy.Autodiff.Tests.Laws;

/// <summary>One operator of a random graph: what it is, and which of the earlier values it reads.</summary>
public sealed record Instruction(int Kind, int A, int B);

/// <summary>
/// A graph as a list of instructions, which shrinks by leaving some out. Values have the shape [rows, 3, 8]; among the
/// instructions are things for every pass to find: equal expressions, constants, identities, products with a bias and
/// an activation, chains of contractions, values that nobody reads, operands of every form.
/// </summary>
public sealed record Recipe(Instruction[] Steps)
{
    public const int Kinds = 41;
    private const int Middle = 3;
    private const int Width = 8;

    public static Arbitrary<Recipe> All => Arb.From(
        from count in Gen.Choose(1, 16)
        from steps in (from kind in Gen.Choose(0, Kinds - 1)
                       from a in Gen.Choose(0, 99)
                       from b in Gen.Choose(0, 99)
                       select new Instruction(kind, a, b)).ArrayOf(count)
        select new Recipe(steps), Shorter);

    public override string ToString() => string.Join(" ", Steps.Select(s => $"{s.Kind}:{s.A}:{s.B}"));

    /// <summary>Values of elements, not taken from a batch.</summary>
    public Graph Static(DType dtype, int rows)
    {
        var b = new GraphBuilder();
        var values = Values(b, b.Input("x", dtype, rows, Middle, Width));
        b.Output("shown", values[^((values.Count / 2) + 1)]);
        b.Output("y", values[^1]);
        return b.Build();
    }

    /// <summary>A model with a loss, that follows the batch.</summary>
    public Graph Model(DType dtype)
    {
        var b = new GraphBuilder();
        var values = Values(b, b.Input("x", dtype, Dim.Batch, Middle, Width));
        var logits = values[^1].Reshape(new Dim(1, true), Middle * Width)
            .Linear(b.Parameter("head", ParameterInit.Normal(0.2), dtype, 5, Middle * Width));
        b.Classify(logits);
        return b.Build();
    }

    /// <summary>Inputs and parameters of a graph, the same numbers under the same name.</summary>
    public static Dictionary<string, Variable> Bindings(Graph graph, int rows, bool gradient = false)
    {
        var bindings = new Dictionary<string, Variable>();
        foreach (var leaf in graph.Inputs.Concat(graph.Parameters))
        {
            var shape = leaf.Type.At(rows);
            var stream = new RandomStream(7, RandomPurpose.Mask, (ulong)leaf.Name.Sum(c => c));
            if (leaf.Type.DType == DType.Int32)
            {
                int[] labels = [.. Enumerable.Range(0, (int)shape.Count).Select(i => (int)(stream.Word(i) % 5))];
                bindings[leaf.Name] = new Variable(Tensor.Of<int>(labels, shape));
                continue;
            }

            double[] numbers = [.. Enumerable.Range(0, (int)shape.Count).Select(i => (double)stream.Normal(i))];
            var isParameter = leaf.Op == OpTable.Parameter;
            bindings[leaf.Name] = new Variable(
                Tensor.Of<double>(numbers, shape).Cast(leaf.Type.DType), gradient && isParameter);
        }

        return bindings;
    }

    /// <summary>The bits of every output.</summary>
    public static SortedDictionary<string, long[]> Bits(Graph graph, int rows)
    {
        var outputs = new SortedDictionary<string, long[]>(StringComparer.Ordinal);
        foreach (var (name, value) in GraphRunner.Run(graph, Bindings(graph, rows))) outputs[name] = BitsOf(value.Data);
        return outputs;
    }

    public static long[] BitsOf(Tensor tensor) =>
        [.. tensor.Cast(DType.Float64).ToArray<double>().Select(BitConverter.DoubleToInt64Bits)];

    /// <summary>Same outputs under the same names, to the bit.</summary>
    public static bool Equal(SortedDictionary<string, long[]> a, SortedDictionary<string, long[]> b) =>
        a.Count == b.Count && a.All(o => b.TryGetValue(o.Key, out var bits) && bits.AsSpan().SequenceEqual(o.Value));

    private List<Value> Values(GraphBuilder b, Value x)
    {
        var values = new List<Value> { x, x.Tanh() };
        for (var i = 0; i < Steps.Length; i++)
        {
            // Mostly the newest, so that chains grow.
            var (kind, atA, atB) = Steps[i];
            var a = values[^(1 + (atA % Math.Min(3, values.Count)))];
            var other = atB % 3 == 0 ? Operand(b, x, i, atB / 3) : values[atB % values.Count];
            values.Add(Next(b, kind, i, a, other));
        }

        return values;
    }

    // Scalars, rows, planes and columns, which are repeated over a value.
    private static Value Operand(GraphBuilder b, Value x, int i, int form) => (form % 5) switch
    {
        0 => b.Parameter($"scalar{i}", ParameterInit.Normal(1), x.Type.DType, 1),
        1 => b.Parameter($"row{i}", ParameterInit.Normal(1), x.Type.DType, Width),
        2 => b.Parameter($"plane{i}", ParameterInit.Normal(1), x.Type.DType, Middle, Width),
        3 => x.Constant(form / 5 % 3),
        _ => x.Slice(2, form % Width, 1).Sum([1], keep: true),
    };

    private static Value Next(GraphBuilder b, int kind, int i, Value a, Value other) => kind switch
    {
        0 => a + other,
        1 => other - a,
        2 => a * other,
        3 => a.Tanh(),
        4 => a.Gelu(),
        5 => a.Sigmoid() * 1.5,
        6 => a.Maximum(other),
        7 => (a.Square() + 1).Sqrt(),
        8 => a / (other.Abs() + 1),
        9 => a - 0,
        10 => -(-a),
        11 => a.Transpose(0, 2, 1).Transpose(0, 2, 1),
        12 => a.Reshape([a.Type[0], new Dim(Middle * Width)]).Reshape(a.Type.Dims.AsSpan()),
        13 => a * a.Builder.Full(1, a.Type),
        14 => a * (a.Constant(2) * 0.25 - 0.125).Exp(),
        15 => a.Relu().Relu(),
        16 => a.Exp().Minimum(a.Exp()).Tanh(),
        17 => a.Tanh() - a.Tanh() * other,
        18 => a.Linear(Weight(b, a, i)),
        19 => a.Linear(Weight(b, a, i)) + Bias(b, a, i),
        20 => (a.Linear(Weight(b, a, i)) + Bias(b, a, i)).Relu(),
        21 => a.Linear(Weight(b, a, i)).Tanh(),
        22 => Functions.Einsum("nij,jk->nik", a,
            Functions.Einsum("jl,lk->jk", Weight(b, a, i), b.Parameter($"v{i}", ParameterInit.Normal(0.4), a.Type.DType,
                Width, Width))),
        23 => a.Softmax(),
        24 => Functions.Concat(2, a.Slice(2, 0, 4), a.Slice(2, 4, 4)),
        25 => a.Greater(other.Tanh()).Where(a, other * 0.5),
        26 => a.Clamp(-0.7, 1.1),
        27 => a.Less(a.Constant(0.25)).Where(a.Tanh(), a),
        28 => a.Flip(1).Flip(1),
        29 => a.Abs().Abs(),
        30 => a.Mean([2], keep: true) + a,
        31 => Unread(a) * 0.75,
        32 => a.Maximum(a),
        33 => a.MatMul(Weight(b, a, i)) + Bias(b, a, i),
        34 => Bias(b, a, i) + a.MatMul(Weight(b, a, i), tb: true),
        35 => (Bias(b, a, i) + a.MatMul(Weight(b, a, i))).Tanh(),
        36 => a.MatMul(Weight(b, a, i)).Relu(),
        37 => (a.Linear(Weight(b, a, i)), a.Tanh()) is var (y, read) ? (y + Bias(b, a, i)) * read : a,
        38 => (a.MatMul(Weight(b, a, i)), a * other) is var (y, read) ? Bias(b, a, i) + y + read : a,
        39 => a.MatMul(a.Tanh(), tb: true).Sigmoid().MatMul(a) + Bias(b, a, i),
        _ => a.Builder.Full(0.5, a.Type.With(a.Type.DType)).Tanh() * a,
    };

    private static Value Unread(Value a)
    {
        a.Exp().Sum([2]);
        return a;
    }

    private static Value Weight(GraphBuilder b, Value a, int i) =>
        b.Parameter($"w{i}", ParameterInit.Normal(0.4), a.Type.DType, Width, Width);

    private static Value Bias(GraphBuilder b, Value a, int i) =>
        b.Parameter($"bias{i}", ParameterInit.Normal(1), a.Type.DType, Width);

    private static IEnumerable<Recipe> Shorter(Recipe recipe)
    {
        for (var i = 0; i < recipe.Steps.Length; i++)
            yield return new Recipe([.. recipe.Steps.Where((_, at) => at != i)]);
    }
}
