using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// Gradients that are computed when they are read: each one by a pass over the part of the history that leads to its
/// variable, and once. Worth it when few of many are read; when all are, one pass for all is cheaper
/// (<see cref="Differentiate.Gradient"/>). The history is kept until this is let go.
/// </summary>
public sealed class LazyGradients
{
    private readonly History _history;
    private readonly IReadOnlyList<Variable> _outputs;
    private readonly IReadOnlyList<Variable> _inputs;
    private readonly IReadOnlyList<Variable>? _seeds;
    private readonly Variable?[] _found;

    internal LazyGradients(
        IReadOnlyList<Variable> outputs, IReadOnlyList<Variable> inputs, IReadOnlyList<Variable>? seeds)
    {
        (_outputs, _inputs, _seeds) = (outputs, inputs, seeds);
        _history = History.Of(outputs);
        _found = new Variable?[inputs.Count];
    }

    /// <summary>Inputs whose gradients can be read.</summary>
    public int Count => _found.Length;

    /// <summary>How many were read so far, and so computed.</summary>
    public int Evaluated => _found.Count(g => g is not null);

    /// <summary>The gradient of an input; zeros where no output depends on it.</summary>
    public Tensor this[int input]
    {
        get
        {
            if ((uint)input >= (uint)_inputs.Count)
                throw new GradientException($"there are {_inputs.Count} inputs, counted from 0: none is {input}");
            var found = _found[input] ??= Differentiate.Run(_history, _outputs, [_inputs[input]], _seeds,
                createGraph: false)[0]
                ?? new Variable(Tensor.Empty(_inputs[input].Data.DType, _inputs[input].Data.Shape));
            return found.Data;
        }
    }

    /// <summary>The gradient of one of the inputs; zeros where no output depends on it.</summary>
    /// <exception cref="GradientException">It was not among the inputs.</exception>
    public Tensor this[Variable input]
    {
        get
        {
            for (var i = 0; i < _inputs.Count; i++)
                if (ReferenceEquals(_inputs[i], input)) return this[i];
            throw new GradientException($"no gradient was asked for with respect to this variable of {input.Type}");
        }
    }
}
