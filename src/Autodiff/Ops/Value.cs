using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// What operators are applied to: a variable that holds numbers (eager), or the result of a node (graph). Models,
/// losses and gradients are written against it once and run both ways.
/// </summary>
public abstract class Value
{
    /// <summary>Element type and shape; in a graph one dimension may follow the batch.</summary>
    public abstract TensorType Type { get; }
    internal abstract Builder Builder { get; }

    /// <summary>Equal for handles of one value: the key under which gradients are collected.</summary>
    internal virtual object Identity => this;

    /// <summary>Element by element, dimensions of size 1 repeated.</summary>
    public static Value operator +(Value a, Value b) => a.Add(b);
    /// <summary>Element by element, dimensions of size 1 repeated.</summary>
    public static Value operator -(Value a, Value b) => a.Subtract(b);
    /// <summary>Element by element, dimensions of size 1 repeated.</summary>
    public static Value operator *(Value a, Value b) => a.Multiply(b);
    /// <summary>Element by element, dimensions of size 1 repeated.</summary>
    public static Value operator /(Value a, Value b) => a.Divide(b);
    /// <summary>Element by element.</summary>
    public static Value operator -(Value a) => a.Negate();
    /// <summary>The number is rounded to the element type of the value.</summary>
    public static Value operator +(Value a, double b) => a.Add(a.Constant(b));
    /// <summary>The number is rounded to the element type of the value.</summary>
    public static Value operator +(double a, Value b) => b.Constant(a).Add(b);
    /// <summary>The number is rounded to the element type of the value.</summary>
    public static Value operator -(Value a, double b) => a.Subtract(a.Constant(b));
    /// <summary>The number is rounded to the element type of the value.</summary>
    public static Value operator -(double a, Value b) => b.Constant(a).Subtract(b);
    /// <summary>The number is rounded to the element type of the value.</summary>
    public static Value operator *(Value a, double b) => a.Multiply(a.Constant(b));
    /// <summary>The number is rounded to the element type of the value.</summary>
    public static Value operator *(double a, Value b) => b.Constant(a).Multiply(b);
    /// <summary>The number is rounded to the element type of the value.</summary>
    public static Value operator /(Value a, double b) => a.Divide(a.Constant(b));
    /// <summary>The number is rounded to the element type of the value.</summary>
    public static Value operator /(double a, Value b) => b.Constant(a).Divide(b);

    internal Value Apply(Op op, Attributes attributes, params ReadOnlySpan<Value> others)
    {
        Value[] inputs = [this, .. others];
        return Builder.Apply(op, attributes, inputs)[0];
    }

    internal Value Apply(Op op, params ReadOnlySpan<Value> others) => Apply(op, Attributes.None, others);

    /// <summary>A scalar of this value's element type.</summary>
    internal Value Constant(double value) => Builder.Full(value, Type.With());
}

/// <summary>
/// Where operators go: executed at once, recorded as nodes, or watched by a transform on their way there.
/// </summary>
public abstract class Builder
{
    private protected Builder() { }

    /// <summary>
    /// Transforms stand above what they transform: an operator goes to the highest builder of its operands.
    /// </summary>
    internal virtual int Level => 0;

    /// <summary>This one, or one of the values' that stands above it.</summary>
    internal Builder Highest(ReadOnlySpan<Value> values)
    {
        var highest = this;
        foreach (var value in values)
            if (value.Builder.Level > highest.Level) highest = value.Builder;
        return highest;
    }

    internal Value[] Apply(Op op, Attributes attributes, Value[] inputs)
    {
        var builder = Highest(inputs);
        try
        {
            op.RequireKnown(attributes);
            return op is CompositeOp composite ? builder.Whole(composite, attributes, inputs)
                : builder.Record(op, attributes, inputs);
        }
        catch (UnsupportedException cause) when (OperatorFallback.Exists(op))
        {
            return OperatorFallback.Run(op, attributes, inputs, cause);
        }
        catch (Exception failure) when (OperatorStack.Note(failure, op, inputs))
        {
            throw;
        }
        catch (OverflowException) when (OpTable.Find(op.Name) == op)
        {
            throw OperandTexts.Added(
                new ShapeException($"sizes beyond {int.MaxValue} follow from [{attributes}]: make them smaller"), op,
                inputs);
        }
        catch (ShapeException rule) when (OperandTexts.Lack(rule, op, inputs))
        {
            throw OperandTexts.Added(rule, op, inputs);
        }
    }

    // A formula that fails half-way leaves nothing of itself behind.
    private Value[] Whole(CompositeOp op, Attributes attributes, Value[] inputs)
    {
        var mark = Mark();
        try
        {
            return op.Expand(this, attributes, inputs);
        }
        catch
        {
            Rollback(mark);
            throw;
        }
    }

    /// <summary>Where recording stands, for <see cref="Rollback"/>.</summary>
    private protected virtual int Mark() => 0;

    /// <summary>
    /// Takes back what was recorded since the mark. A builder that keeps nothing has nothing to take back.
    /// </summary>
    private protected virtual void Rollback(int mark) { }

    private protected abstract Value[] Record(Op op, Attributes attributes, Value[] inputs);

    internal Value Full(double value, TensorType type)
    {
        var attributes = Attributes.Of("value", value, "dims", type.Dims).With("dtype", type.DType);
        return Apply(OpTable.Full, attributes, [])[0];
    }
}
