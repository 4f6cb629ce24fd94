using Convoy.Autodiff.Optim.Gradients;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Optim;

/// <summary>
/// OPTIM-01 to OPTIM-05 for eager training: groups of variables, each with a rule, settings and schedule of its own. A
/// step reads the gradients that backward calls left (<see cref="CurrentGradients"/>), runs the stages of
/// <see cref="Gradients"/> over all of them, and writes the variables where they lie, in float32 or float64. Jobs have
/// <see cref="Optimizer"/>, which does the same over one flat vector.
/// </summary>
/// <param name="totalSteps">Steps of the whole training, at the end of which schedules have run their course.</param>
public sealed class VariableOptimizer(long totalSteps = 0)
{
    private readonly List<Group> _groups = [];
    private readonly List<Member> _members = [];

    /// <summary>One group from the start.</summary>
    /// <param name="spec">Rule and settings, as in a job file.</param>
    /// <param name="parameters">As those of <see cref="Add"/>.</param>
    /// <param name="totalSteps">Steps of the whole training.</param>
    public VariableOptimizer(OptimizerSpec spec, IReadOnlyList<Variable> parameters, long totalSteps = 0)
        : this(totalSteps) => Add(spec, parameters);

    /// <summary>Steps made so far.</summary>
    public long Steps { get; private set; }

    /// <summary>Clips, cleans, scales or disturbs the gradients of each step before the rules see them, in place; none
    /// from the start.</summary>
    public GradientPipeline? Gradients { get; set; }

    /// <summary>Multiplies the rates of all groups: what a <see cref="PlateauSchedule"/> has come to.</summary>
    public double RateFactor { get; set; } = 1;

    /// <summary>One more group.</summary>
    /// <param name="spec">Rule and settings, as in a job file; counted from the first step of the optimizer.</param>
    /// <param name="parameters">Variables that ask for gradients, dense in memory, none of them in a group
    /// already.</param>
    /// <param name="names">Of the parameters, for reports and stages by name; "p0", "p1" … when left out.</param>
    /// <returns>The number of the group, from 0.</returns>
    /// <exception cref="ArgumentException">A parameter is none of these.</exception>
    /// <exception cref="Shared.UserException">A setting has no meaning.</exception>
    public int Add(OptimizerSpec spec, IReadOnlyList<Variable> parameters, IReadOnlyList<string>? names = null)
    {
        if (names is not null && names.Count != parameters.Count)
            throw new ArgumentException($"{names.Count} names for {parameters.Count} parameters");
        var group = new Group(spec, UpdateRule.Create(spec));
        var added = new List<Member>();
        for (var i = 0; i < parameters.Count; i++)
        {
            var v = parameters[i];
            var name = names?[i] ?? $"p{_members.Count + i}";
            if (!v.RequiresGradient || v.Producer is not null)
                throw new ArgumentException($"{name}, {v.Type}, is no variable with requiresGradient: true");
            if (!v.Data.IsContiguous) throw new ArgumentException($"{name}, {v.Type}, is a view: copy it first");
            if (_members.Concat(added).Any(m => m.Variable == v))
                throw new ArgumentException($"{name}, {v.Type}, is in a group already");
            added.Add(new Member(group, v, name));
        }

        _groups.Add(group);
        _members.AddRange(added);
        return _groups.Count - 1;
    }

    /// <summary>The rate of a group in its next step.</summary>
    public double RateOf(int group) => Rate(_groups[group], Steps + 1);

    /// <summary>
    /// One step of every parameter that has a gradient; one without is left as it is, and its rule does not count the
    /// step. Gradients stay until <see cref="ClearGradients"/>.
    /// </summary>
    /// <param name="gradientScale">What gradients are multiplied with first, such as 1 over the micro-batches.</param>
    /// <returns>What the stages did; empty where there are none.</returns>
    /// <exception cref="ShapeException">A gradient has not the shape and type of its variable. Nothing has changed.
    /// </exception>
    public IReadOnlyList<StageReport> Step(double gradientScale = 1)
    {
        var present = new List<(Member Member, Tensor Gradient)>();
        foreach (var member in _members)
        {
            if (CurrentGradients.Of(member.Variable) is not { } gradient) continue;
            if (!gradient.Type.Equals(member.Variable.Type)) throw new ShapeException(
                $"{member.Name}: a gradient of {gradient.Type} does not belong to a variable of {member.Variable.Type}");
            present.Add((member, gradient.Contiguous()));
        }

        Steps++;
        var reports = Gradients?.Apply(new GradientSet([.. present.Select((p, i) => new GradientPart(
            p.Member.Name, GradientVector.Of(p.Gradient), GradientVector.Of(p.Member.Variable.Data), i)
        {
            Units = p.Gradient.Rank < 2 ? 1 : p.Gradient.Shape[0],
        })], Steps));
        foreach (var (member, gradient) in present)
            member.Step(gradient, Rate(member.Group, Steps), gradientScale);
        return reports ?? [];
    }

    /// <summary>Forgets the gradients of all parameters.</summary>
    public void ClearGradients()
    {
        foreach (var member in _members) CurrentGradients.Clear(member.Variable);
    }

    /// <summary>
    /// A copy of what the optimizer remembers, for <see cref="Restore"/>: "steps", "rate_factor", and for each
    /// parameter "name.steps" and its rule's vectors, "name.moment1" and their like, in its shape and type. Stages of
    /// <see cref="Gradients"/> save theirs themselves.
    /// </summary>
    /// <exception cref="ShapeException">Two parameters have one name.</exception>
    public TensorTable Save()
    {
        var table = new TensorTable();
        table.Add(StepsName, Tensor.Of<long>([Steps], Shape.Scalar));
        table.Add(FactorName, Tensor.Of<double>([RateFactor], Shape.Scalar));
        foreach (var member in _members)
            foreach (var (name, tensor) in member.Remembered()) table.Add(name, tensor.Copy());
        return table;
    }

    /// <summary>
    /// Goes on where an optimizer with the same groups was saved: with the same gradients, the same bits.
    /// </summary>
    /// <param name="saved">What <see cref="Save"/> gave.</param>
    /// <exception cref="ShapeException">Something is missing, or has another shape or type. Nothing has
    /// changed.</exception>
    public void Restore(TensorTable saved)
    {
        var mine = Save();
        foreach (var name in mine.Names)
            if (!saved[name].Type.Equals(mine[name].Type)) throw new ShapeException(
                $"{name} was saved as {saved[name].Type}, this optimizer has {mine[name].Type}");
        if (saved.Count != mine.Count) throw new ShapeException(
            $"{saved.Count} tensors were saved, this optimizer has {mine.Count}: other groups or rules");
        (Steps, RateFactor) = ((long)saved[StepsName].At(), saved[FactorName].At());
        foreach (var member in _members) member.Restore(saved);
    }

    private const string StepsName = "steps";
    private const string FactorName = "rate_factor";

    private double Rate(Group group, long step) =>
        RateFactor * Schedule.RateAt(group.Spec.Schedule, group.Spec.Lr, step, totalSteps);

    private sealed record Group(OptimizerSpec Spec, UpdateRule Rule);

    // A parameter with what its rule remembers of it.
    private sealed class Member(Group group, Variable variable, string name)
    {
        private readonly State<float>? _narrow = variable.Data.DType == DType.Float32 ? new(group, variable) : null;
        private readonly State<double>? _wide = variable.Data.DType == DType.Float64 ? new(group, variable) : null;

        public Group Group => group;

        public Variable Variable => variable;

        public string Name => name;

        public void Step(Tensor gradient, double rate, double scale)
        {
            _narrow?.Step(variable.Data, gradient, rate, scale);
            _wide?.Step(variable.Data, gradient, rate, scale);
        }

        // By their names in a table; vectors are the optimizer's own memory.
        public IEnumerable<(string Name, Tensor Tensor)> Remembered()
        {
            yield return ($"{name}.{StepsName}", Tensor.Of<long>([_narrow?.Steps ?? _wide!.Steps], Shape.Scalar));
            for (var i = 0; i < group.Rule.StateNames.Count; i++)
                yield return ($"{name}.{group.Rule.StateNames[i]}",
                    _narrow?.Tensor(i, variable.Data.Shape) ?? _wide!.Tensor(i, variable.Data.Shape));
        }

        public void Restore(TensorTable saved)
        {
            var steps = (long)saved[$"{name}.{StepsName}"].At();
            for (var i = 0; i < group.Rule.StateNames.Count; i++)
            {
                var vector = saved[$"{name}.{group.Rule.StateNames[i]}"];
                _narrow?.Set(steps, i, vector);
                _wide?.Set(steps, i, vector);
            }

            // A rule without vectors counts steps too.
            _narrow?.Set(steps);
            _wide?.Set(steps);
        }
    }

    private sealed class State<T>(Group group, Variable variable)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        private readonly Memory<T>[] _state =
            [.. group.Rule.StateNames.Select(_ => new T[variable.Data.Count].AsMemory())];
        private readonly ParameterSpan[] _whole = [ParameterSpan.Of(variable.Data.Shape)];
        private long _steps;

        public long Steps => _steps;

        public Tensor Tensor(int vector, Shape shape) => Tensors.Tensor.Of<T>(_state[vector].Span, shape);

        public void Set(long steps) => _steps = steps;

        public void Set(long steps, int vector, Tensor from)
        {
            _steps = steps;
            from.Values<T>().CopyTo(_state[vector].Span);
        }

        public void Step(Tensor weights, Tensor gradient, double rate, double scale) => group.Rule.Apply(
            weights.Writable<T>(), gradient.Values<T>(), _state, new RuleStep(++_steps, rate, scale), _whole);
    }
}
