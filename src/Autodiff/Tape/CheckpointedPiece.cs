using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// MEM-05: a part of a computation as one line of the tape. Of its own tape nothing is kept: what enters it, and the
/// variables that it reads besides, are operands of the line, and its gradient runs the part again. The second run must
/// do what the first did, so the mode of layers is that of the first, and operands that were written since are errors.
/// </summary>
internal sealed class CheckpointedPiece : Op
{
    private readonly Func<Value, Value> _function;
    private readonly bool _trains = TrainingMode.IsOn;
    private readonly TensorType _type;
    private readonly Variable[] _captured;
    private readonly (Storage Storage, int Version)[] _seen;

    private CheckpointedPiece(Func<Value, Value> function, Variable[] captured, TensorType type)
    {
        (_function, _captured, _type) = (function, captured, type);
        _seen = [.. captured.Select(v => (v.Data.Storage, v.Data.Storage.Version))];
    }

    public override string Name => "checkpoint";
    public override string Sharding => "as the operators it is written in";

    /// <summary>f(x), recorded as one line where anything that it reads asks for gradients.</summary>
    public static Value Of(Func<Value, Value> function, Variable x)
    {
        if (!GradientMode.IsOn) return function(x);
        Variable made;
        Variable[] captured;
        using (var region = BufferScope.Region())
        {
            var since = TapeEntry.Last;
            if (function(x) is not Variable y)
                throw new ShapeException("checkpoint: a piece of eager values returned a value of a graph");
            captured = CapturedBy(y, x, since);
            if (!y.RequiresGradient || (!x.RequiresGradient && captured.Length == 0)) return Handed(region, y);
            made = (Variable)Handed(region, y);
        }

        Value[] inputs = [x, .. captured];
        var entry = new TapeEntry(
            new CheckpointedPiece(function, captured, made.Type), Attributes.None, inputs, [made.Data]);
        var result = Variable.Result(made.Data, entry);
        entry.SetOutputs([result]);
        VariableEnvironment.Note(entry);
        return result;
    }

    internal override TensorType[] Infer(Attributes attributes, ReadOnlySpan<TensorType> inputs) => [_type];

    internal override void Forward(OpCall call)
    {
        using var scope = GradientMode.Off();
        call.Outputs[0].CopyFrom(((Variable)_function(new Variable(call.Inputs[0]))).Data);
    }

    internal override Value?[] Backward(OpGradient g)
    {
        using var region = g.Dy is Variable && !GradientMode.IsOn ? BufferScope.Region() : null;
        var (y, history) = Again(g.Inputs);
        var tape = history.Applications();
        Value[] wanted = [.. g.Inputs.Where((_, i) => g.Needs(i))];
        // Hooks of what enters belong to the tape outside, where all of its gradient comes together.
        var reverse = new ReverseMode(g.Builder);
        reverse.Run(tape, [(y, g.Dy)], wanted, leafHooks: false);
        Value?[] found = [.. g.Inputs.Select((v, i) => g.Needs(i) ? reverse.GradientOf(v) : null)];
        if (region is null) return found;
        foreach (var gradient in found)
            if (gradient is Variable kept) region.Hand(kept.Data);
        history.ReleaseAll();
        return found;
    }

    internal override Value?[] Tangent(OpTangent t)
    {
        var (y, history) = Again(t.Inputs);
        var seeds = t.Inputs.Select((v, i) => (Value: v, Tangent: t.Dx(i))).Where(s => s.Tangent is not null);
        return ForwardMode.Run(t.Builder, history.Applications(), [.. seeds.Select(s => (s.Value, s.Tangent!))], [y]);
    }

    private (Variable Y, History History) Again(IReadOnlyList<Value> inputs)
    {
        // Reading the numbers finds what was written since.
        foreach (var input in inputs) _ = ((Variable)input).Data;
        for (var i = 0; i < _captured.Length; i++)
        {
            var storage = _captured[i].Data.Storage;
            if (storage != _seen[i].Storage || storage.Version != _seen[i].Version) throw new GradientException(
                $"checkpoint: {_captured[i].Type}, which the piece reads, was written in place after it ran, and its "
                + "gradient runs it again: call backward first, or write into a copy");
        }

        using var recording = GradientMode.On();
        using var mode = TrainingMode.As(_trains);
        var (x, since) = ((Variable)inputs[0], TapeEntry.Last);
        var y = (Variable)_function(x);
        if (!y.Type.Equals(_type) || CapturedBy(y, x, since).Any(v => !_captured.Contains(v)))
            throw new GradientException(
                $"checkpoint: a piece that gave {_type} gave {y.Type} when it ran again, or read other variables: it must "
                + "do the same each time");
        return (y, History.Of([y], since));
    }

    // What a run since then has read, that asks for gradients and was there before; without x.
    private static Variable[] CapturedBy(Variable y, Variable x, long since) =>
        [.. History.Of([y], since).Sources(since).Where(v => v != x.Origin)];

    private static Value Handed(BufferScope? region, Variable y)
    {
        region?.Hand(y.Data);
        return y;
    }
}
