using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Passes;

namespace Convoy.Autodiff.Execution;

// The forward pass alone, in a plan and memory of its own that are made when they are first asked for.
public sealed partial class TrainProgram
{
    private Evaluation? _evaluation;

    /// <summary>Loss and right answers of a batch, in the form without dropout and with running statistics: sums over
    /// its samples, not means.</summary>
    /// <param name="batch">Filled; of this program.</param>
    /// <param name="weights">In the layout of <see cref="Layout"/>.</param>
    public EvalResult Evaluate(BatchBuffer batch, ReadOnlySpan<float> weights)
    {
        var evaluation = RunForward(batch, weights);
        var loss = 0.0;
        foreach (var value in evaluation.Read(LossRows.Name, batch.Rows)) loss += value;
        var (correct, counted) = (0L, 0L);
        if (evaluation.Has(LossRows.CorrectName))
        {
            var marks = evaluation.Read(LossRows.CorrectName, batch.Rows);
            counted = marks.Length;
            foreach (var mark in marks) correct += mark > 0 ? 1 : 0;
        }

        var result = new EvalResult(loss, batch.Rows * WeightPerSample, correct, counted);
        GC.KeepAlive(this);
        return result;
    }

    /// <summary>The output "logits" of a batch.</summary>
    public void Logits(BatchBuffer batch, ReadOnlySpan<float> weights, Span<float> logits)
    {
        var evaluation = RunForward(batch, weights);
        if (!evaluation.Has("logits")) throw new GraphException("the graph has no output logits");
        evaluation.Read("logits", batch.Rows).CopyTo(logits);
        GC.KeepAlive(this);
    }

    private unsafe Evaluation RunForward(BatchBuffer batch, ReadOnlySpan<float> weights)
    {
        CheckFlat(weights.Length);
        CheckBatch(batch);
        _evaluation ??= new Evaluation(_compiled.Evaluation, _arena);
        fixed (float* first = weights)
        {
            _evaluation.Memory.Weights.Bind(first, weights.Length * sizeof(float));
            BindInputs(_evaluation.Memory, batch);
            foreach (var step in _evaluation.BindingOf(batch.Rows).Steps) step.Run();
        }

        GC.KeepAlive(batch);
        return _evaluation;
    }

    private sealed class Evaluation(ProgramPlan plan, Arena arena)
    {
        private readonly List<Binding> _bindings = [];

        public long Bytes => _bindings.Sum(b => b.Bytes);

        public ProgramMemory Memory { get; } = new(plan, arena);

        public bool Has(string output) => plan.Graph.Output(output) is not null;

        public Binding BindingOf(int rows)
        {
            foreach (var known in _bindings)
                if (known.Slices.Rows == rows) return known;
            if (_bindings.Count == BindingsMax) _bindings.RemoveAt(0);
            var binding = new Binding(plan, Memory, StepSlices.Single(rows), 0);
            _bindings.Add(binding);
            return binding;
        }

        public ReadOnlySpan<float> Read(string output, int rows) => BindingOf(rows).Output(output).Raw<float>();
    }
}
