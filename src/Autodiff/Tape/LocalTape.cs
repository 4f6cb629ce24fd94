using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// A tape for a few operators, over any builder: what is watched, and what is computed from it, is applied there and
/// noted here, so that a rule can differentiate an expression that it has just written.
/// </summary>
internal sealed class LocalTape(Builder inner) : Builder
{
    private readonly List<Application> _entries = [];

    public IReadOnlyList<Application> Entries => _entries;

    internal override int Level => inner.Level + 1;

    public Value Watch(Value value) => new Watched(this, value);

    public bool Owns(Value value) => value is Watched watched && watched.Tape == this;

    /// <summary>The value below this tape.</summary>
    public Value Bare(Value value) => Owns(value) ? ((Watched)value).Inner : value;

    /// <summary>
    /// The gradients of a formula for some of the inputs of an application: how an operator whose forward is one kernel
    /// gets derivatives of any order from the same formula written in operators.
    /// </summary>
    public static Value?[] Gradients(OpGradient g, int[] inputs, Func<Value[], Value> formula)
    {
        // Above all that the rule sees: inside the formula of another operator those are values of such a tape.
        var below = g.Builder.Highest([.. g.Inputs, g.Dy]);
        var tape = new LocalTape(below);
        Value[] watched = [.. inputs.Select(i => tape.Watch(g.Inputs[i]))];
        var y = formula(watched);
        var reverse = new ReverseMode(below);
        reverse.Run(tape.Entries, [(y, g.Dy)], watched);
        return [.. watched.Select(w => reverse.GradientOf(w) is { } found ? tape.Bare(found) : null)];
    }

    private protected override int Mark() => _entries.Count;

    private protected override void Rollback(int mark) => _entries.RemoveRange(mark, _entries.Count - mark);

    private protected override Value[] Record(Op op, Attributes attributes, Value[] inputs)
    {
        // What the tape holds are values of the inner builder and watched ones; gradients are computed with both.
        Value[] bare = [.. inputs.Select(v => Owns(v) ? ((Watched)v).Inner : v)];
        var results = inner.Apply(op, attributes, bare);
        if (!inputs.Any(Owns)) return results;
        Value[] outputs = [.. results.Select(Watch)];
        _entries.Add(new Application(op, attributes, inputs, outputs));
        return outputs;
    }

    private sealed class Watched(LocalTape tape, Value inner) : Value
    {
        public LocalTape Tape => tape;
        public Value Inner => inner;
        public override TensorType Type => inner.Type;
        internal override Builder Builder => tape;
    }
}
