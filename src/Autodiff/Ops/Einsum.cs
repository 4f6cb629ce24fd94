using System.Numerics;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Ops;

// y[result] = Σ over the other letters of Π operands        operands left to right, two at a time, as matrix products
// d operand i = the contraction of dy and all other operands to the letters of i: an adjoint for every spec
// Here a letter is once in an operand, and in the result or another operand; Functions.Einsum brings other specs to
// this form with diagonal and sum.
internal sealed class Einsum : FloatOp
{
    internal override string Settings => "spec";

    private const string Letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    public override string Name => "einsum";
    public override string Sharding => "from its own spec: contracted letters are +";

    // The samples are one more letter of the operands that have them, and of the result.
    internal override Value[]? Batched(OpBatch b)
    {
        var spec = EinsumSpec.Parse(b.Attributes.Text("spec"));
        var letters = string.Concat(spec.Operands) + spec.Result;
        var free = Letters.FirstOrDefault(c => !letters.Contains(c));
        if (free == default) return null;
        var operands = spec.Operands.Select((o, i) => b.Carries(i) ? free + o : o);
        return b.Apply(Attributes.Of("spec", $"{string.Join(",", operands)}->{free}{spec.Result}"), [.. b.Inputs]);
    }
    internal override bool IsLinearIn(uint inputMask) => BitOperations.PopCount(inputMask) == 1;
    internal override bool SumsSamples(Attributes attributes) => true;

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        Require(inputs.Length > 0, "takes at least one operand");
        RequireFloat(inputs);
        var spec = EinsumSpec.Parse(attributes.Text("spec"));
        var sizes = spec.Sizes(inputs);
        for (var i = 0; i < spec.Operands.Length; i++)
        {
            foreach (var c in spec.Operands[i])
            {
                var elsewhere = spec.Result.Contains(c)
                    || spec.Operands.Where((_, j) => j != i).Any(o => o.Contains(c));
                Require(elsewhere, $"letter '{c}' of operand {i} is in no other operand and not in the result");
            }

            Require(spec.Operands[i].Distinct().Count() == spec.Operands[i].Length, $"operand {i} repeats a letter");
        }

        return [inputs[0].With([.. spec.Result.Select(c => sizes[c])])];
    }

    internal override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows)
    {
        long points = 1;
        foreach (var size in EinsumSpec.Parse(attributes.Text("spec")).Sizes(inputs).Values) points *= size.At(rows);
        return new OpCost(2 * points * Math.Max(1, inputs.Length - 1), BytesOf(inputs, outputs, rows));
    }

    private protected override void Run<T>(OpCall call)
    {
        if (call.Outputs[0].Count == 0) return;
        var spec = EinsumSpec.Parse(call.Attributes.Text("spec"));
        var sizes = new Dictionary<char, int>();
        for (var i = 0; i < spec.Operands.Length; i++)
            for (var axis = 0; axis < spec.Operands[i].Length; axis++)
                sizes[spec.Operands[i][axis]] = call.Inputs[i].Shape[axis];
        if (sizes.ContainsValue(0))
        {
            call.Out<T>().Clear();
            return;
        }

        var letters = spec.Operands[0];
        var values = call.In<T>(0).ToArray();
        for (var i = 1; i < spec.Operands.Length; i++)
        {
            var later = spec.Result + string.Concat(spec.Operands[(i + 1)..]);
            (letters, values) = Pair(letters, values, spec.Operands[i], call.In<T>(i), later, sizes);
        }

        Permute(letters, values, spec.Result, sizes, call.Out<T>());
    }

    // a and b to a matrix product: shared letters that are still needed are its batch, shared letters that are not are
    // summed, the others are its rows and columns.
    private static (string Letters, T[] Values) Pair<T>(
        string a, ReadOnlySpan<T> x, string b, ReadOnlySpan<T> w, string later, Dictionary<char, int> sizes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var batch = string.Concat(a.Where(c => b.Contains(c) && later.Contains(c)));
        var summed = string.Concat(a.Where(c => b.Contains(c) && !later.Contains(c)));
        var rows = string.Concat(a.Where(c => !b.Contains(c)));
        var columns = string.Concat(b.Where(c => !a.Contains(c)));
        var (n, m, k, p) = (Size(batch, sizes), Size(rows, sizes), Size(summed, sizes), Size(columns, sizes));
        var left = new T[n * m * k];
        var right = new T[n * k * p];
        var product = new T[n * m * p];
        Permute(a, x, batch + rows + summed, sizes, left);
        Permute(b, w, batch + summed + columns, sizes, right);
        Gemm.Batched<T>(false, false, n, m, p, k, left, k, m * k, right, p, k * p, product, p, m * p);
        return (batch + rows + columns, product);
    }

    private static int Size(string letters, Dictionary<char, int> sizes)
    {
        var size = 1;
        foreach (var c in letters) size = checked(size * sizes[c]);
        return size;
    }

    private static void Permute<T>(
        string from, ReadOnlySpan<T> x, string to, Dictionary<char, int> sizes, Span<T> y) where T : unmanaged
    {
        Span<int> dims = stackalloc int[to.Length];
        Span<int> strides = stackalloc int[to.Length];
        for (var i = 0; i < to.Length; i++)
        {
            dims[i] = sizes[to[i]];
            strides[i] = Size(from[(from.IndexOf(to[i], StringComparison.Ordinal) + 1)..], sizes);
        }

        if (from == to) x.CopyTo(y);
        else Elementwise.CopyStrided(dims, x, strides, y);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        var spec = EinsumSpec.Parse(g.Attributes.Text("spec"));
        var gradients = new Value?[spec.Operands.Length];
        for (var i = 0; i < gradients.Length; i++)
        {
            if (!g.Needs(i)) continue;
            string[] letters = [spec.Result, .. spec.Operands.Where((_, j) => j != i)];
            Value[] operands = [g.Dy, .. g.Inputs.Where((_, j) => j != i)];
            gradients[i] = Functions.Einsum($"{string.Join(",", letters)}->{spec.Operands[i]}", operands);
        }

        return gradients;
    }
}
