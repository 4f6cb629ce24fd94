using Convoy.Autodiff.Numerics;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>Executes an operator at once; records it when an input wants a gradient and recording is on.</summary>
internal sealed class EagerBuilder : Builder
{
    public static readonly EagerBuilder Instance = new();

    private EagerBuilder() { }

    private protected override Value[] Record(Op op, Attributes attributes, Value[] inputs)
    {
        var types = new TensorType[inputs.Length];
        var tensors = new Tensor[inputs.Length];
        var record = false;
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is not Variable variable)
                throw new ShapeException($"{op.Name}: input {i} belongs to a graph, the others are eager variables");
            types[i] = variable.Type;
            tensors[i] = variable.Data;
            record |= variable.RequiresGradient;
        }

        var outputs = Execute(op, attributes, types, tensors);
        var entry = record && GradientMode.IsOn ? new TapeEntry(op, attributes, inputs, outputs) : null;
        var results = new Value[outputs.Length];
        for (var i = 0; i < outputs.Length; i++) results[i] = Variable.Result(outputs[i], entry);
        if (entry is not null)
        {
            entry.SetOutputs(results);
            VariableEnvironment.Note(entry);
        }

        return results;
    }

    private static Tensor[] Execute(Op op, Attributes attributes, TensorType[] types, Tensor[] inputs)
    {
        var inferred = op.Infer(attributes, types);
        // What repeats is a view: an element-wise reader computes once what is there once.
        if (op == OpTable.BroadcastTo) return [inputs[0].BroadcastTo(inferred[0].At(0))];
        if (op is IBlockwise && Array.Exists(inputs, t => t.IsRepeated))
        {
            Tensor[] once = [.. inputs.Select(t => t.Once())];
            var result = Execute(op, attributes, [.. once.Select(t => t.Type)], once);
            return [result[0].BroadcastTo(inferred[0].At(0))];
        }

        for (var i = 0; i < inputs.Length; i++) inputs[i] = inputs[i].Contiguous();
        if (op.IsAlias) return [inputs[0].Reshape(inferred[0].At(0))];
        var outputs = new Tensor[inferred.Length];
        for (var i = 0; i < outputs.Length; i++) outputs[i] = Tensor.Empty(inferred[i].DType, inferred[i].At(0));
        var profile = OpProfile.Current;
        var start = profile?.Now ?? 0;
        op.Forward(new OpCall(attributes, inputs, outputs));
        profile?.Add(op.Name, start, outputs.Sum(t => t.Count));
        if (AnomalyMode.IsOn) AnomalyMode.Check(op, attributes, inputs, outputs);
        NumericGuard.Check(op.Name, outputs);
        return outputs;
    }
}

/// <summary>
/// An application on the tape, with the versions of its operands and results. Which of them its gradient reads is known
/// where it reads them, and only there: a value that was written since is an error for the rule that asks for its
/// numbers, and for no other (AD-5).
/// </summary>
internal sealed class TapeEntry
{
    private static long _sequence;
    private readonly Op _op;
    private readonly Attributes _attributes;
    private Value[] _inputs;
    private Storage[] _storages;
    private readonly int[] _versions;
    private Application? _application;

    public TapeEntry(Op op, Attributes attributes, Value[] inputs, Tensor[] results)
    {
        if (SavedValues.AreOwned) inputs = [.. inputs.Select(SavedValues.Kept)];
        (_op, _attributes, _inputs) = (op, attributes, inputs);
        _storages = [.. inputs.Select(v => ((Variable)v).Data.Storage), .. results.Select(t => t.Storage)];
        _versions = [.. _storages.Select(s => s.Version)];
    }

    /// <summary>The newest that any thread has made.</summary>
    public static long Last => Interlocked.Read(ref _sequence);

    /// <summary>Order of recording: an entry comes after those that made its inputs.</summary>
    public long Sequence { get; } = Interlocked.Increment(ref _sequence);

    public Application Application => _application
        ?? throw new GradientException(
            $"{_op.Name}: the history of its result was released by an earlier backward call, or by the end of its "
            + "environment: call that with retain: true, or add up what is differentiated and call backward once");

    public void SetOutputs(Value[] outputs)
    {
        if (SavedValues.AreOwned)
        {
            outputs = [.. outputs.Select(SavedValues.Kept)];
            for (var i = 0; i < outputs.Length; i++) Hold(_inputs.Length + i, ((Variable)outputs[i]).Data.Storage);
        }

        _application = new Application(_op, _attributes, _inputs, outputs);
    }

    private void Hold(int place, Storage storage) => (_storages[place], _versions[place]) = (storage, storage.Version);

    public bool IsReleased => _application is null;

    public void Release()
    {
        foreach (var storage in _storages) storage.LetGo();
        (_application, _inputs, _storages) = (null, [], []);
    }

    /// <summary>The application for a gradient rule.</summary>
    public Application ForRule()
    {
        var application = Application;
        for (var i = 0; i < _storages.Length; i++)
        {
            if (_storages[i].Version != _versions[i])
            {
                return application with
                {
                    Inputs = Guarded(application.Inputs, 0),
                    Outputs = Guarded(application.Outputs, _inputs.Length),
                };
            }
        }

        return application;
    }

    private Value[] Guarded(Value[] values, int place)
    {
        var guarded = new Value[values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var what = place == 0 ? $"its operand {i}, {values[i].Type}," : "its result";
            guarded[i] = _storages[place + i].Version == _versions[place + i] ? values[i]
                : ((Variable)values[i]).Damaged(
                    $"{_op.Name}: {what} was written in place after it was recorded, and its gradient reads it: write "
                    + "into a copy, or record in a scope of SavedValues.CopyOnWrite");
        }

        return guarded;
    }
}
