using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// An operator whose formula is written in other operators: applying it applies them, eagerly or as nodes, so gradient,
/// forward mode, batching and cost are theirs, and graphs carry nothing new. Its own row in the table gives it a
/// name in errors and a line in the checks.
/// </summary>
internal abstract class CompositeOp : Op
{
    public override string Sharding => "as the operators it is written in";

    /// <summary>How many inputs it takes: least and most.</summary>
    private protected abstract (int Least, int Most) Arity { get; }

    /// <summary>The formula. Inputs are checked in number only; the operators inside check shapes.</summary>
    private protected abstract Value[] Formula(Builder builder, Attributes attributes, Value[] x);

    /// <summary>
    /// Refuses operands of unlike shapes: a loss of a column and a row would be one of every pair, without a word.
    /// </summary>
    private protected void RequireOneShape(Value[] x)
    {
        Require(
            x[0].Type.Dims.AsSpan().SequenceEqual(x[1].Type.Dims.AsSpan()),
            $"{x[0].Type.Text} and {x[1].Type.Text} are not of one shape: reshape or broadcast one of them");
    }

    public Value[] Expand(Builder builder, Attributes attributes, Value[] inputs)
    {
        var (least, most) = Arity;
        if (inputs.Length < least || inputs.Length > most)
            throw Wrong($"takes {(least == most ? $"{least}" : $"{least} to {most}")} inputs, not {inputs.Length}");
        using var within = AnomalyMode.Within(Name);
        try
        {
            return Formula(builder, attributes, inputs);
        }
        catch (ShapeException e) when (OperandTexts.Lack(e, this, inputs))
        {
            throw OperandTexts.Added(e, this, inputs);
        }
    }

    internal sealed override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs)
    {
        var shapes = new ShapeBuilder();
        Value[] values = [.. inputs.ToArray().Select(shapes.Of)];
        return [.. Expand(shapes, attributes, values).Select(v => v.Type)];
    }

    internal sealed override OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows)
    {
        var shapes = new ShapeBuilder { Rows = rows };
        Expand(shapes, attributes, [.. inputs.Select(shapes.Of)]);
        return shapes.Cost;
    }

    internal sealed override void Forward(OpCall call) => throw Invariant.Unhandled(Name);

    internal sealed override Value?[] Backward(OpGradient g) => throw Invariant.Unhandled(Name);
}

/// <summary>Applies operators to types alone: shapes and cost of a formula without its numbers.</summary>
internal sealed class ShapeBuilder : Builder
{
    public int Rows { get; init; } = 1;
    public OpCost Cost { get; private set; }

    public Value Of(TensorType type) => new Typed(this, type);

    private protected override Value[] Record(Op op, Attributes attributes, Value[] inputs)
    {
        TensorType[] types = [.. inputs.Select(v => v.Type)];
        var results = op.Infer(attributes, types);
        Cost += op.Cost(attributes, types, results, Rows);
        return [.. results.Select(Of)];
    }

    private sealed class Typed(ShapeBuilder owner, TensorType type) : Value
    {
        public override TensorType Type => type;
        internal override Builder Builder => owner;
    }
}
