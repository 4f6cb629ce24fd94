using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// What a rule of many samples sees: one application whose operands carry the samples on a first dimension, or are the
/// same for all of them. The rules that many operators share are here; an operator's file says which is its own. The
/// results carry the samples on their first dimension.
/// </summary>
internal sealed class OpBatch(Builder builder, Op op, Attributes attributes, Value[] inputs, bool[] carries, Dim rows)
{
    public Builder Builder => builder;
    public Attributes Attributes => attributes;
    public IReadOnlyList<Value> Inputs => inputs;
    public Dim Rows => rows;

    /// <summary>Whether the operand has samples, or is the same for all.</summary>
    public bool Carries(int input) => carries[input];

    /// <summary>The rank of the operand of one sample.</summary>
    public int RankOf(int input) => inputs[input].Type.Rank - (carries[input] ? 1 : 0);

    /// <summary>The operand with samples in front, repeated where it is the same for all.</summary>
    public Value Spread(int input) => carries[input] ? inputs[input]
        : inputs[input].Unsqueeze(0).BroadcastTo([rows, .. inputs[input].Type.Dims]);

    /// <summary>
    /// The operand with ones behind the samples until it has the rank: then what is repeated is what one sample means.
    /// </summary>
    public Value Lifted(int input, int rank)
    {
        var (x, missing) = (inputs[input], rank - RankOf(input));
        return !carries[input] || missing <= 0 ? x
            : x.Reshape([x.Type[0], .. Enumerable.Repeat(new Dim(1), missing), .. x.Type.Dims.Skip(1)]);
    }

    public Value[] Apply(Attributes changed, params Value[] operands) => builder.Apply(op, changed, operands);

    /// <summary>For operators that work element by element and repeat dimensions of size 1.</summary>
    public Value[] Elementwise()
    {
        var rank = Enumerable.Range(0, inputs.Length).Max(RankOf);
        return Apply(attributes, [.. inputs.Select((_, i) => Lifted(i, rank))]);
    }

    /// <summary>For operators whose leading dimensions are cases of their own, equal in all operands.</summary>
    public Value[] Leading() => Apply(attributes, Spread());

    /// <summary>For operators along dimensions that these attributes name.</summary>
    public Value[] Along(params ReadOnlySpan<string> names)
    {
        var moved = attributes;
        foreach (var name in names)
            moved = moved.Ints(name) is { Length: > 0 } list ? moved.With(name, list.Select(i => i + 1).ToArray())
                : moved.Has(name) && moved.Int(name, -1) >= 0 ? moved.With(name, moved.Int(name) + 1) : moved;
        return Apply(moved, Spread());
    }

    /// <summary>
    /// For operators whose first dimension is images or sequences: the samples are more of them. The first
    /// <paramref name="count"/> operands have that dimension; there is no rule where another one carries samples.
    /// </summary>
    public Value[]? Folded(int count)
    {
        for (var i = count; i < inputs.Length; i++)
            if (carries[i]) return null;
        var n = inputs[0].Type[carries[0] ? 1 : 0];
        Value[] results = Apply(attributes, [.. inputs.Select((x, i) => i < count ? Fold(Spread(i)) : x)]);
        return [.. results.Select(y => y.Reshape([rows, n, .. y.Type.Dims.Skip(1)]))];
    }

    /// <summary>The operand with samples as groups of channels: [samples, N, C, ..] to [N, samples C, ..].</summary>
    public Value Channels(int input)
    {
        var x = Swapped(Spread(input));
        return x.Reshape([x.Type[0], Times(x.Type[1], x.Type[2]), .. x.Type.Dims.Skip(3)]);
    }

    /// <summary>The operand with samples as more filters: [samples, F, ..] to [samples F, ..].</summary>
    public Value Filters(int input) => Fold(Spread(input));

    public Value FromChannels(Value y)
    {
        var each = y.Type[1].Size / rows.Size;
        return Swapped(y.Reshape([y.Type[0], rows, each, .. y.Type.Dims.Skip(2)]));
    }

    public Value FromFilters(Value w) => w.Reshape([rows, w.Type[0].Size / rows.Size, .. w.Type.Dims.Skip(1)]);

    /// <summary>The attributes of a convolution whose groups are those of every sample.</summary>
    public Attributes Grouped() => attributes.With("groups", checked(attributes.Int("groups", 1) * rows.Size));

    /// <summary>For an operator that has its formula in other operators.</summary>
    public Value Written(Func<IReadOnlyList<Value>, Value> formula)
    {
        var batch = new BatchBuilder(builder, rows);
        return batch.Rows(formula([.. inputs.Select((x, i) => carries[i] ? batch.Batch(x) : x)]));
    }

    private Value[] Spread() => [.. inputs.Select((_, i) => Spread(i))];

    private static Value Fold(Value x) => x.Reshape([Times(x.Type[0], x.Type[1]), .. x.Type.Dims.Skip(2)]);

    private static Value Swapped(Value x) => x.Transpose([1, 0, .. Enumerable.Range(2, x.Type.Rank - 2)]);

    private static Dim Times(Dim a, Dim b) => a * b;
}
