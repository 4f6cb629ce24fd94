using Convoy.Autodiff.Tensors;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>Work of one application: floating-point operations, and bytes read and written.</summary>
public readonly record struct OpCost(long Flops, long Bytes)
{
    /// <summary>Both pieces of work.</summary>
    public static OpCost operator +(OpCost a, OpCost b) => new(a.Flops + b.Flops, a.Bytes + b.Bytes);
}

/// <summary>
/// One operator: formula, shape rule, cost, forward, gradient in terms of operators, sharding rule (decision 2).
/// Operators have no state; what an application needs is in its attributes.
/// </summary>
public abstract class Op
{
    /// <summary>Unique in the table, part of the format of graphs: never changed.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Which indices may be split between devices, as one line of names: `+k` is summed, `!k` is used whole.
    /// </summary>
    public abstract string Sharding { get; }

    /// <summary>Names of the constants that an application may have, with blanks between.</summary>
    internal virtual string Settings => "";

    /// <summary>Types of the results, or a <see cref="ShapeException"/> that names the rule.</summary>
    internal abstract TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs);

    internal virtual OpCost Cost(Attributes attributes, TensorType[] inputs, TensorType[] outputs, int rows) =>
        new(outputs[0].CountAt(rows), BytesOf(inputs, outputs, rows));

    internal abstract void Forward(OpCall call);

    /// <summary>One gradient or null per input. The caller checks the count, sums broadcasts and accumulates.</summary>
    internal abstract Value?[] Backward(OpGradient g);

    /// <summary>
    /// Forward mode: tangents of the results for tangents of the inputs, null where none flows. An operator of one
    /// linear input maps the tangent as it maps the input; elsewhere the gradient rule, which is linear in the
    /// gradient, is transposed.
    /// </summary>
    internal virtual Value?[] Tangent(OpTangent t) =>
        t.Inputs.Count == 1 && IsLinearIn(1) ? [.. t.Builder.Apply(this, t.Attributes, [t.Dx(0)!])] : t.Transpose(this);

    /// <summary>
    /// The same application for many samples at once (<see cref="Tape.Vmap"/>), or null: then it is made sample by
    /// sample.
    /// </summary>
    internal virtual Value[]? Batched(OpBatch b) => null;

    /// <summary>
    /// A call on the batch is told where its slices begin: the result depends on them, not on who has them.
    /// </summary>
    internal virtual bool NeedsSlices => false;

    /// <summary>
    /// Its rows are multiplied by one matrix, slice by slice where a library does it (<see cref="OpCall.RowSlices"/>).
    /// </summary>
    internal virtual bool MultipliesRows => false;

    /// <summary>
    /// The result may be written over this input while it is read: element i depends on element i alone.
    /// </summary>
    internal virtual bool MayOverwrite(int input) => false;

    /// <summary>
    /// The result has the input's elements in the input's order (reshape): no work in a compiled program.
    /// </summary>
    internal virtual bool IsAlias => false;

    /// <summary>
    /// Elements are copied, never computed: the sum of several results is the result of the sum, to the bit.
    /// </summary>
    internal virtual bool OnlyMoves => false;

    /// <summary>f(a + b) = f(a) + f(b) in the inputs of the mask while the others stay fixed.</summary>
    internal virtual bool IsLinearIn(uint inputMask) => false;

    /// <summary>
    /// When the batch dimension is summed away: rows that the kernel sees per sample, if the kernel takes the slices of
    /// the batch and returns one result per node of the slice tree. 0: the executor runs the operator slice by slice.
    /// </summary>
    internal virtual int RowsPerSample(Attributes attributes, ReadOnlySpan<TensorType> inputs) => 0;

    /// <summary>The batch dimension may be contracted: the result is a sum over samples.</summary>
    internal virtual bool SumsSamples(Attributes attributes) => false;

    /// <summary>Its operands in an error.</summary>
    internal virtual string Shown(ReadOnlySpan<Value> inputs)
    {
        var texts = new string[inputs.Length];
        for (var i = 0; i < texts.Length; i++) texts[i] = inputs[i].Type.Text;
        return string.Join(", ", texts);
    }

    /// <summary>Where the operator itself is unsupported, <see cref="Fallback"/> computes the same.</summary>
    internal virtual bool HasFallback => false;

    internal virtual Value[] Fallback(Value[] inputs) => throw Wrong("has no formula of its own");

    /// <summary>Refuses a constant that the operator does not read, or whose value is of another kind: passed over, a
    /// slip of the pen would be a result of other settings.</summary>
    internal void RequireKnown(Attributes attributes)
    {
        foreach (var (name, value) in attributes.Entries)
        {
            if (!Knows(name)) throw Wrong(
                $"there is no attribute \"{name}\": it has {(Settings.Length == 0 ? "none" : Settings.Replace(" ", ", ", StringComparison.Ordinal))}");
            if (AttributeKinds.Wanted(this, name, value) is { } wanted) throw Wrong(
                $"the attribute \"{name}\" is {wanted}, not {Attributes.Shown(value)}");
        }
    }

    private bool Knows(ReadOnlySpan<char> name)
    {
        var settings = Settings.AsSpan();
        foreach (var one in settings.Split(' '))
            if (settings[one].SequenceEqual(name)) return true;
        return false;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>An error that names the operator and the rule.</summary>
    protected ShapeException Wrong(string rule) => new($"{Name}: {rule}");

    /// <summary>Refuses what breaks a rule, with code ShapeMismatch.</summary>
    protected void Require(bool holds, string rule)
    {
        if (!holds) throw Wrong(rule);
    }

    /// <summary>Refuses another number of operands.</summary>
    protected void RequireCount(ReadOnlySpan<TensorType> inputs, int count)
    {
        if (inputs.Length != count) throw Wrong($"takes {count} inputs, not {inputs.Length}");
    }

    /// <summary>Refuses operands that are not float32 or float64, or not of one type, with code
    /// ElementType.</summary>
    protected void RequireFloat(params ReadOnlySpan<TensorType> inputs)
    {
        foreach (var input in inputs)
        {
            if (input.DType is not (DType.Float32 or DType.Float64))
            {
                throw new ShapeException(
                    $"{Name}: takes float32 or float64 numbers, not {input}: cast it first", ErrorCode.ElementType);
            }

            if (input.DType != inputs[0].DType)
            {
                throw new ShapeException(
                    $"{Name}: takes one element type, not {inputs[0]} and {input}: cast one of them",
                    ErrorCode.ElementType);
            }
        }
    }

    /// <summary>Refuses an index that is not int32.</summary>
    protected void RequireIndex(TensorType input) =>
        Require(input.DType == DType.Int32, $"takes int32 indices, not {input}");

    /// <summary>Bytes of all operands and results for a batch of so many samples: what is read and written
    /// once.</summary>
    protected static long BytesOf(TensorType[] inputs, TensorType[] outputs, int rows)
    {
        long bytes = 0;
        foreach (var t in inputs) bytes += t.CountAt(rows) * t.DType.Size();
        foreach (var t in outputs) bytes += t.CountAt(rows) * t.DType.Size();
        return bytes;
    }
}

/// <summary>An operator that runs in every floating-point type.</summary>
internal abstract class FloatOp : Op
{
    internal sealed override void Forward(OpCall call)
    {
        if (call.FloatType == DType.Float32) Run<float>(call);
        else Run<double>(call);
    }

    private protected abstract void Run<T>(OpCall call)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>;
}
