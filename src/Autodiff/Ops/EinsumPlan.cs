using System.Numerics;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// How a contraction of many operands is cut into pairs: the tree of least total multiplications, by dynamic
/// programming over sets of operands. A set's result keeps the letters that are needed outside of it, so its cost does
/// not depend on how it was made.
/// </summary>
internal static class EinsumPlan
{
    // Three to the power of it are looked at; beyond, operands are taken from left to right.
    private const int ExhaustiveMax = 10;

    public static Value Contract(string[] letters, Value[] values, string result)
    {
        var all = (1u << letters.Length) - 1;
        if (letters.Length <= 2 || letters.Length > ExhaustiveMax) return Apply(letters, values, result);
        var sizes = Sizes(letters, values);
        var splits = new uint[all + 1];
        var costs = new double[all + 1];
        for (uint set = 1; set <= all; set++)
        {
            if (BitOperations.PopCount(set) < 2) continue;
            costs[set] = double.PositiveInfinity;
            // Each split once: the half with the lowest operand is named first.
            var lowest = set & (uint)-(int)set;
            for (var part = (set - 1) & set; part > 0; part = (part - 1) & set)
            {
                if ((part & lowest) == 0) continue;
                var cost = costs[part] + costs[set ^ part] + Points(part, set ^ part);
                if (cost < costs[set]) (costs[set], splits[set]) = (cost, part);
            }
        }

        return Build(all).Value;

        double Points(uint a, uint b)
        {
            var points = 1.0;
            foreach (var c in (Kept(a) + Kept(b)).Distinct()) points *= sizes[c];
            return points;
        }

        string Kept(uint set) => Needed(letters, result, set);

        (string Letters, Value Value) Build(uint set)
        {
            if (BitOperations.PopCount(set) == 1)
            {
                var i = BitOperations.TrailingZeroCount(set);
                return (letters[i], values[i]);
            }

            var (left, right) = (Build(splits[set]), Build(set ^ splits[set]));
            var kept = set == all ? result : Kept(set);
            return (kept, Apply([left.Letters, right.Letters], [left.Value, right.Value], kept));
        }
    }

    // Letters of a set that the result or another operand has.
    private static string Needed(string[] letters, string result, uint set)
    {
        var (inside, outside) = ("", result);
        for (var i = 0; i < letters.Length; i++)
        {
            if ((set >> i & 1) != 0) inside += letters[i];
            else outside += letters[i];
        }

        return string.Concat(inside.Distinct().Where(c => outside.Contains(c)));
    }

    private static Dictionary<char, double> Sizes(string[] letters, Value[] values)
    {
        var sizes = new Dictionary<char, double>();
        for (var i = 0; i < letters.Length; i++)
            for (var axis = 0; axis < letters[i].Length; axis++) sizes[letters[i][axis]] =
                Math.Max(1, values[i].Type[axis].Size);
        return sizes;
    }

    private static Value Apply(string[] letters, Value[] values, string result)
    {
        var attributes = Attributes.Of("spec", $"{string.Join(",", letters)}->{result}");
        return values[0].Apply(OpTable.Einsum, attributes, values.AsSpan(1));
    }
}
