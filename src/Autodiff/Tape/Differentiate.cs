using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>Gradients as a function: outputs with respect to inputs, of any order.</summary>
public static class Differentiate
{
    /// <summary>
    /// Σ over outputs of d output / d input, per input; zeros where an output does not depend on it. With
    /// <paramref name="createGraph"/> the gradients have a history of their own and can be differentiated again, in
    /// a scope without recording too.
    /// </summary>
    /// <param name="outputs">What is differentiated.</param>
    /// <param name="inputs">Variables that ask for gradients, or results of them.</param>
    /// <param name="seeds">A gradient of each output, of its shape and type; ones when left out.</param>
    /// <param name="createGraph">Whether gradients are recorded.</param>
    /// <exception cref="GradientException">An input asks for no gradient, or a history was released, or what a
    /// gradient reads was written over.</exception>
    /// <exception cref="ShapeException">Seeds do not fit the outputs.</exception>
    public static IReadOnlyList<Variable> Gradient(
        IReadOnlyList<Variable> outputs, IReadOnlyList<Variable> inputs, IReadOnlyList<Variable>? seeds = null,
        bool createGraph = false)
    {
        RequireAsking(inputs);
        var found = Run(History.Of(outputs), outputs, inputs, seeds, createGraph);
        return [.. found.Select((g, i) => g ?? new Variable(Tensor.Empty(inputs[i].Data.DType, inputs[i].Data.Shape)))];
    }

    /// <summary>The same gradients, each computed when it is first read.</summary>
    public static LazyGradients Lazy(
        IReadOnlyList<Variable> outputs, IReadOnlyList<Variable> inputs, IReadOnlyList<Variable>? seeds = null)
    {
        RequireAsking(inputs);
        return new(outputs, inputs, seeds);
    }

    /// <summary>
    /// Forward mode: per output, the derivative along the tangents of the inputs (J·t), zeros where it does not
    /// depend on them. The cost is that of a few forward passes, however many outputs there are.
    /// </summary>
    public static IReadOnlyList<Variable> Forward(
        IReadOnlyList<Variable> outputs, IReadOnlyList<Variable> inputs, IReadOnlyList<Variable> tangents,
        bool createGraph = false)
    {
        RequireAsking(inputs);
        if (tangents.Count != inputs.Count)
            throw new ShapeException($"forward: {tangents.Count} tangents for {inputs.Count} inputs; one for each");
        var history = History.Of(outputs).Applications();
        for (var i = 0; i < inputs.Count; i++)
        {
            if (!inputs[i].Type.Equals(tangents[i].Type))
                throw new ShapeException(
                    $"forward: a tangent of {tangents[i].Type} does not belong to {inputs[i].Type}");
        }

        using var scope = createGraph ? GradientMode.On() : GradientMode.Off();
        var found = ForwardMode.Run(
            EagerBuilder.Instance, history, [.. inputs.Zip(tangents, (x, t) => ((Value)x, (Value)t))], outputs);
        return [.. found.Select((t, i) =>
            (Variable?)t ?? new Variable(Tensor.Empty(outputs[i].Data.DType, outputs[i].Data.Shape)))];
    }

    internal static IReadOnlyList<Variable?> Run(
        History history, IReadOnlyList<Variable> outputs, IReadOnlyList<Variable> inputs,
            IReadOnlyList<Variable>? seeds,
        bool createGraph, bool release = false)
    {
        if (seeds is not null && seeds.Count != outputs.Count)
            throw new ShapeException($"backward: {seeds.Count} seeds for {outputs.Count} outputs; one for each");
        using var scope = createGraph ? GradientMode.On() : GradientMode.Off();
        var starts = new List<(Value, Value)>();
        for (var i = 0; i < outputs.Count; i++)
        {
            var seed = seeds?[i] ?? new Variable(Tensor.Full(outputs[i].Data.DType, 1, outputs[i].Data.Shape));
            if (outputs[i].RequiresGradient && !seed.Type.Equals(outputs[i].Type))
                throw new ShapeException($"backward: a seed of {seed.Type} does not belong to {outputs[i].Type}");
            starts.Add((outputs[i], seed));
        }

        var reverse = new ReverseMode(EagerBuilder.Instance);
        // What backward has passed is let go at once, so memory falls while it runs.
        var tape = history.Applications();
        reverse.Run(tape, starts, inputs, release ? i => history.Release(tape, i) : null);
        return [.. inputs.Select(v => (Variable?)reverse.GradientOf(v))];
    }

    // What such an input was part of was not all recorded: its gradient would be wrong, and look like one.
    private static void RequireAsking(IReadOnlyList<Variable> inputs)
    {
        for (var i = 0; i < inputs.Count; i++)
        {
            if (inputs[i].RequiresGradient || inputs[i].Data.DType is not (DType.Float32 or DType.Float64)) continue;
            throw new GradientException(
                $"input {i}, {inputs[i].Type}, asks for no gradient, so what is computed from it is not recorded: make "
                + "it with requiresGradient: true, outside scopes of GradientMode.Off, before the outputs");
        }
    }
}

/// <summary>The part of the tape that some outputs were computed by.</summary>
internal sealed class History
{
    private readonly List<TapeEntry> _entries;
    private readonly IReadOnlyList<Variable> _outputs;

    private History(List<TapeEntry> entries, IReadOnlyList<Variable> outputs)
    {
        (_entries, _outputs) = (entries, outputs);
    }

    /// <param name="outputs">Where it ends.</param>
    /// <param name="since">Only what was recorded after this one.</param>
    public static History Of(IReadOnlyList<Variable> outputs, long since = 0)
    {
        var seen = new HashSet<TapeEntry>();
        var open = new Stack<TapeEntry>();
        void Visit(Value value)
        {
            if (((Variable)value).Producer is { } entry && entry.Sequence > since && seen.Add(entry)) open.Push(entry);
        }

        foreach (var output in outputs) Visit(output);
        while (open.TryPop(out var entry))
            foreach (var input in entry.Application.Inputs) Visit(input);
        return new History([.. seen.OrderBy(e => e.Sequence)], outputs);
    }

    /// <summary>What is differentiated; values that were written since are errors for who reads them.</summary>
    public Application[] Applications() => [.. _entries.Select(e => e.ForRule())];

    /// <summary>Everything that gradients of this history may read.</summary>
    public IReadOnlyList<Tensor> Tensors()
    {
        var found = new List<Tensor>();
        foreach (var entry in _entries)
        {
            foreach (var value in entry.Application.Inputs) found.Add(((Variable)value).Data);
            foreach (var value in entry.Application.Outputs) found.Add(((Variable)value).Data);
        }

        return found;
    }

    /// <summary>Bytes that the history keeps alive: each storage once.</summary>
    public long SavedBytes() => Tensors().Select(t => t.Storage).Distinct().Sum(s => s.Bytes);

    /// <summary>Variables without a producer that ask for gradients, in the order of their first use; an output may
    /// be one itself.</summary>
    public IReadOnlyList<Variable> Leaves() => Sources(0);

    /// <summary>Variables that ask for gradients and were there when this one was recorded; 0: leaves.</summary>
    public IReadOnlyList<Variable> Sources(long since)
    {
        var leaves = new List<Variable>();
        var seen = new HashSet<Value>();
        void Take(Variable variable)
        {
            var isSource = variable.Producer is null || variable.Producer.Sequence <= since;
            if (variable.RequiresGradient && isSource && seen.Add(variable)) leaves.Add(variable);
        }

        foreach (var entry in _entries)
            foreach (var input in entry.Application.Inputs) Take(((Variable)input).Origin);
        foreach (var output in _outputs) Take(output.Origin);
        return leaves;
    }

    public void ReleaseAll()
    {
        foreach (var entry in _entries) entry.Release();
    }

    public void Release(Application[] tape, int place)
    {
        tape[place] = null!;
        _entries[place].Release();
    }
}
