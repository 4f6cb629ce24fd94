using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>Gradients as a function: outputs with respect to inputs, of any order.</summary>
public static class Differentiate
{
    /// <summary>
    /// Σ over outputs of d output / d input, per input; zeros where an output does not depend on it. With
    /// <paramref name="createGraph"/> the gradients have a history of their own and can be differentiated again.
    /// </summary>
    public static IReadOnlyList<Variable> Gradient(
        IReadOnlyList<Variable> outputs, IReadOnlyList<Variable> inputs, IReadOnlyList<Variable>? seeds = null,
        bool createGraph = false)
    {
        var found = Run(History.Of(outputs), outputs, inputs, seeds, createGraph);
        return [.. found.Select((g, i) => g ?? new Variable(Tensor.Empty(inputs[i].Data.DType, inputs[i].Data.Shape)))];
    }

    /// <summary>The same gradients, each computed when it is first read.</summary>
    public static LazyGradients Lazy(
        IReadOnlyList<Variable> outputs, IReadOnlyList<Variable> inputs, IReadOnlyList<Variable>? seeds = null) =>
        new(outputs, inputs, seeds);

    /// <summary>
    /// Forward mode: per output, the derivative along the tangents of the inputs (J·t), zeros where it does not
    /// depend on them. The cost is that of a few forward passes, however many outputs there are.
    /// </summary>
    public static IReadOnlyList<Variable> Forward(
        IReadOnlyList<Variable> outputs, IReadOnlyList<Variable> inputs, IReadOnlyList<Variable> tangents,
        bool createGraph = false)
    {
        var history = History.Of(outputs).Applications();
        for (var i = 0; i < inputs.Count; i++)
        {
            if (!inputs[i].Type.Equals(tangents[i].Type))
                throw new ShapeException(
                    $"forward: a tangent of {tangents[i].Type} does not belong to {inputs[i].Type}");
        }

        using var scope = createGraph ? null : GradientMode.Off();
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
        using var scope = createGraph ? null : GradientMode.Off();
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
}

/// <summary>The part of the tape that some outputs were computed by.</summary>
internal sealed class History
{
    private readonly List<TapeEntry> _entries;

    private History(List<TapeEntry> entries)
    {
        _entries = entries;
    }

    public static History Of(IReadOnlyList<Variable> outputs)
    {
        var seen = new HashSet<TapeEntry>();
        var open = new Stack<TapeEntry>();
        void Visit(Value value)
        {
            if (((Variable)value).Producer is { } entry && seen.Add(entry)) open.Push(entry);
        }

        foreach (var output in outputs) Visit(output);
        while (open.TryPop(out var entry))
            foreach (var input in entry.Application.Inputs) Visit(input);
        return new History([.. seen.OrderBy(e => e.Sequence)]);
    }

    public Application[] Applications()
    {
        foreach (var entry in _entries) entry.CheckUnchanged();
        return [.. _entries.Select(e => e.Application)];
    }

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

    /// <summary>Variables without a producer that ask for gradients, in the order of their first use.</summary>
    public IReadOnlyList<Variable> Leaves()
    {
        var leaves = new List<Variable>();
        var seen = new HashSet<Value>();
        foreach (var entry in _entries)
        {
            foreach (var input in entry.Application.Inputs)
            {
                var variable = ((Variable)input).Origin;
                if (variable.RequiresGradient && variable.Producer is null && seen.Add(variable)) leaves.Add(variable);
            }
        }

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
