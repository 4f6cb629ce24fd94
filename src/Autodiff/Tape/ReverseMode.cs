using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>One operator applied to values: a line of the tape, or a node of a graph.</summary>
internal sealed record Application(Op Op, Attributes Attributes, Value[] Inputs, Value[] Outputs);

/// <summary>
/// The chain rule, once for eager variables and for graphs. The only place that checks the number and shape of
/// gradients, sums over what was broadcast and accumulates; a gradient rule never touches an accumulator.
/// </summary>
internal sealed class ReverseMode(Builder builder)
{
    private readonly Dictionary<object, Value> _gradients = [];
    private readonly HashSet<object> _active = [];

    /// <summary>The gradient of a value after <see cref="Run"/>, or null when nothing flowed to it.</summary>
    public Value? GradientOf(Value value) => _gradients.GetValueOrDefault(value.Identity);

    /// <param name="tape">Applications, each after those that made its inputs.</param>
    /// <param name="seeds">Where the chain starts, with the gradient there.</param>
    /// <param name="wanted">Values whose gradients are asked for; work for others is skipped.</param>
    /// <param name="done">Called with each place of the tape that will not be read again.</param>
    /// <param name="leafHooks">Whether hooks of leaves see their gradients: not in a part of a tape.</param>
    public void Run(
        IReadOnlyList<Application> tape, IReadOnlyList<(Value Value, Value Gradient)> seeds,
            IReadOnlyList<Value> wanted,
        Action<int>? done = null, bool leafHooks = true)
    {
        foreach (var value in wanted) _active.Add(value.Identity);
        foreach (var application in tape)
        {
            if (!application.Inputs.Any(IsActive)) continue;
            foreach (var output in application.Outputs) _active.Add(output.Identity);
        }

        foreach (var (value, gradient) in seeds) Accumulate(value, gradient, "seed");
        var keep = wanted.Select(v => v.Identity).ToHashSet();
        for (var i = tape.Count - 1; i >= 0; i--)
        {
            Step(tape[i], keep);
            done?.Invoke(i);
        }

        if (!leafHooks) return;
        foreach (var value in wanted)
        {
            // Results had their turn when their producer did.
            if (value is Variable { HasHooks: true, Producer: null } leaf && GradientOf(leaf) is { } arrived)
                _gradients[leaf.Identity] = leaf.Hooked(arrived);
        }
    }

    private bool IsActive(Value value) => _active.Contains(value.Identity);

    private void Step(Application application, HashSet<object> keep)
    {
        var outputs = application.Outputs;
        var incoming = new Value?[outputs.Length];
        for (var i = 0; i < outputs.Length; i++)
        {
            incoming[i] = GradientOf(outputs[i]);
            if (incoming[i] is { } arrived && outputs[i] is Variable { HasHooks: true } watched)
                _gradients[outputs[i].Identity] = incoming[i] = watched.Hooked(arrived);
            if (!keep.Contains(outputs[i].Identity)) _gradients.Remove(outputs[i].Identity);
        }

        if (Array.TrueForAll(incoming, g => g is null)) return;
        var needed = application.Inputs.Select(IsActive).ToArray();
        if (!needed.Contains(true)) return;
        var given = new OpGradient(builder, application.Attributes, application.Inputs, outputs, incoming, needed);
        var gradients = Rule(application, given);
        if (gradients.Length != application.Inputs.Length)
        {
            throw new ShapeException(
                $"{application.Op.Name}: its gradient returns {gradients.Length} values for {application.Inputs.Length} inputs");
        }

        for (var i = 0; i < gradients.Length; i++)
            if (needed[i] && gradients[i] is { } gradient) Accumulate(application.Inputs[i], gradient,
                application.Op.Name);
    }

    private static Value?[] Rule(Application application, OpGradient given)
    {
        using var within = AnomalyMode.Within(application.Op.Name, gradient: true);
        try
        {
            return GradientOverride.Find(application.Op, given) ?? application.Op.Backward(given);
        }
        catch (Exception failure) when (OperatorStack.Note(failure, $"gradient of {application.Op.Name}"))
        {
            throw;
        }
    }

    private void Accumulate(Value value, Value gradient, string from)
    {
        if (value.Type.DType is not (DType.Float32 or DType.Float64)) return;
        if (gradient.Type.DType != value.Type.DType)
            throw new ShapeException($"{from}: a gradient of {gradient.Type} does not belong to {value.Type}");
        gradient = SumTo(gradient, value.Type, from);
        _gradients[value.Identity] =
            _gradients.TryGetValue(value.Identity, out var before) ? before.Add(gradient) : gradient;
    }

    /// <summary>
    /// The adjoint of broadcasting. Inner dimensions first, then the leading ones in one sum over rows: the order
    /// that a segmented sum has, so that eager and compiled gradients have the same bits.
    /// </summary>
    internal static Value SumTo(Value gradient, TensorType target, string from)
    {
        if (gradient.Type.Equals(target)) return gradient;
        var added = gradient.Type.Rank - target.Rank;
        if (added < 0) throw new ShapeException($"{from}: a gradient of {gradient.Type.Text} for {target.Text}");
        var repeated = new List<int>();
        for (var i = 0; i < gradient.Type.Rank; i++)
        {
            if (i < added || (target[i - added] == 1 && gradient.Type[i] != 1)) repeated.Add(i);
            else if (gradient.Type[i] != target[i - added])
                throw new ShapeException($"{from}: a gradient of {gradient.Type.Text} for {target.Text}");
        }

        var leading = 0;
        while (leading < repeated.Count && repeated[leading] == leading) leading++;
        if (leading < repeated.Count) gradient = gradient.Sum(repeated.Skip(leading).ToArray(), keep: true);
        // Rows of one element each: a sum over all dimensions by itself adds in another order.
        if (leading > 0 && leading == gradient.Type.Rank) gradient = gradient.Reshape([.. gradient.Type.Dims, 1]);
        if (leading > 0) gradient = gradient.Sum(repeated.Take(leading).ToArray());
        return gradient.ReshapeLike(target.Dims);
    }
}
