using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking;

/// <summary>HO-08: an operator for many samples at once against the same operator for each of them.</summary>
internal static class BatchChecks
{
    private const int Rows = 3;

    /// <summary>
    /// Every choice of operands that carry samples (for many operands: all, each alone, all but each), with samples on
    /// the first dimension, and on the last.
    /// </summary>
    public static string? Vmap(OpSample sample, List<string> looped)
    {
        if (sample.Inputs.Length == 0) return null;
        var many = sample.Inputs.Select(Many).ToArray();
        foreach (var carries in Choices(sample.Inputs.Length))
            foreach (var last in new[] { false, true })
                if (Differs(sample, many, carries, last, looped) is { } fault) return fault;
        return null;
    }

    private static string? Differs(OpSample sample, Tensor[][] many, bool[] carries, bool last, List<string> looped)
    {
        using var scope = GradientMode.Off();
        Value[] Of(Value[] x) => x[0].Builder.Apply(sample.Op, sample.Attributes, x);
        var axes = many.Select((_, i) => carries[i] ? last ? -1 : 0 : (int?)null).ToArray();
        Value[] inputs = [.. many.Select((rows, i) => Stacked(carries[i] ? rows : rows[..1], axes[i]))];
        // An operand that is the same for all may come first, and an operator goes to the highest builder of all.
        var all = Tape.Vmap.Run(x => Of(x), inputs, axes, looped);
        for (var r = 0; r < Rows; r++)
        {
            var row = r;
            var one = Of([.. many.Select((rows, i) => new Variable(rows[carries[i] ? row : 0]))]);
            for (var n = 0; n < one.Length; n++)
            {
                var (expected, actual) = (((Variable)one[n]).Data, ((Variable)all[n]).Data.Slice(r));
                if (expected.Shape != actual.Shape || expected.DType != actual.DType)
                    return $"{sample.Name}: vmap gives {actual.Type}, a sample {expected.Type}";
                if (Apart(expected, actual) is { } at)
                    return $"{sample.Name}: vmap over {Text(carries)}: result {n} of sample {r} differs at {at}";
            }
        }

        return null;
    }

    private static string Text(bool[] carries) =>
        string.Join(",", carries.Select((c, i) => (c, i)).Where(p => p.c).Select(p => p.i));

    private static int? Apart(Tensor expected, Tensor actual)
    {
        var tolerance = expected.DType == DType.Float32 ? 2e-5 : 1e-12;
        var (a, b) = (expected.Cast(DType.Float64).ToArray<double>(), actual.Cast(DType.Float64).ToArray<double>());
        var top = a.Length == 0 ? 0 : a.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
        for (var i = 0; i < a.Length; i++)
            if (!a[i].Equals(b[i]) && !(Math.Abs(a[i] - b[i]) <= tolerance * (1 + top))) return i;
        return null;
    }

    private static IEnumerable<bool[]> Choices(int count)
    {
        if (count <= 3)
        {
            for (var mask = 1; mask < 1 << count; mask++)
                yield return [.. Enumerable.Range(0, count).Select(i => (mask >> i & 1) == 1)];
            yield break;
        }

        yield return [.. Enumerable.Repeat(true, count)];
        for (var n = 0; n < count; n++)
        {
            yield return [.. Enumerable.Range(0, count).Select(i => i == n)];
            yield return [.. Enumerable.Range(0, count).Select(i => i != n)];
        }
    }

    // Other numbers of the same kind: scaled a little, whole numbers in another order.
    private static Tensor[] Many(Tensor x) => [.. Enumerable.Range(0, Rows).Select(r => Other(x, r))];

    private static Tensor Other(Tensor x, int row)
    {
        if (row == 0 || x.Count == 0) return x;
        var y = x.Copy();
        if (x.DType == DType.Int32)
        {
            var from = x.Contiguous().Values<int>();
            var to = y.Writable<int>();
            for (var i = 0; i < to.Length; i++) to[i] = from[(i + row) % from.Length];
            return y;
        }

        if (x.DType == DType.Float32) foreach (ref var v in y.Writable<float>()) v *= 1 + (0.05f * row);
        else foreach (ref var v in y.Writable<double>()) v *= 1 + (0.05 * row);
        return y;
    }

    private static Value Stacked(Tensor[] rows, int? axis)
    {
        if (axis is null) return new Variable(rows[0]);
        var all = Tensor.Empty(rows[0].DType, new Shape([rows.Length, .. rows[0].Shape.Dims]));
        for (var r = 0; r < rows.Length; r++) all.Slice(r).CopyFrom(rows[r]);
        if (axis == 0) return new Variable(all);
        return new Variable(all.Transpose([.. Enumerable.Range(1, rows[0].Rank), 0]));
    }
}
