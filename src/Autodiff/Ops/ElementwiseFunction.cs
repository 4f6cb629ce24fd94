using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// A function of one number or several, applied element by element, with partial derivatives that its author gives as
/// operators: z = f(x, y), dx = dz ∂f/∂x, dy = dz ∂f/∂y. Functions chain with <see cref="Then"/> and
/// <see cref="After"/>. Values are computed in float64 and rounded once.
/// </summary>
public sealed class ElementwiseFunction
{
    private readonly Func<Value[], Value> _apply;

    private ElementwiseFunction(string name, int operands, Func<Value[], Value> apply)
    {
        (Name, Operands, _apply) = (name, operands, apply);
    }

    /// <summary>Named in errors.</summary>
    public string Name { get; }
    /// <summary>How many numbers it is a function of.</summary>
    public int Operands { get; }

    /// <summary>A function of one number.</summary>
    /// <param name="name">Named in errors.</param>
    /// <param name="value">f(x).</param>
    /// <param name="derivative">f'(x), as operators; it may be differentiated again.</param>
    public static ElementwiseFunction Of(string name, Func<double, double> value, Func<Value, Value> derivative)
    {
        return Of(name, x => value(x[0]), x => derivative(x[0]));
    }

    /// <summary>A function of two numbers.</summary>
    /// <param name="name">Named in errors.</param>
    /// <param name="value">f(x, y); dimensions of size 1 are repeated.</param>
    /// <param name="byFirst">∂f/∂x, as operators.</param>
    /// <param name="bySecond">∂f/∂y, as operators.</param>
    public static ElementwiseFunction Of(
        string name, Func<double, double, double> value, Func<Value, Value, Value> byFirst,
        Func<Value, Value, Value> bySecond)
    {
        return Of(name, x => value(x[0], x[1]), x => byFirst(x[0], x[1]), x => bySecond(x[0], x[1]));
    }

    /// <summary>A function of several numbers.</summary>
    /// <param name="name">Named in errors.</param>
    /// <param name="value">f(x0, x1, ..); dimensions of size 1 are repeated. The list is the same one for every
    /// element.</param>
    /// <param name="partials">∂f/∂x0, ∂f/∂x1, .., as operators: one for each operand.</param>
    /// <exception cref="ArgumentException">There are no partials.</exception>
    public static ElementwiseFunction Of(
        string name, Func<IReadOnlyList<double>, double> value,
        params IReadOnlyList<Func<IReadOnlyList<Value>, Value>> partials)
    {
        if (partials.Count == 0)
            throw new ArgumentException($"{name}: a function has a partial derivative for each operand; there is none",
                nameof(partials));
        var op = CustomOperator.Define(name, Common, x => Map(x, value),
            g => [.. partials.Select(p => g.Gradient * p(g.Inputs))]);
        return new ElementwiseFunction(name, partials.Count, x => op.Apply(x));
    }

    /// <summary>The function at its operands, float32 or float64 of one type, repeated to a common shape.</summary>
    /// <exception cref="ShapeException">Another number of operands, or another element type.</exception>
    public Value Apply(params Value[] x)
    {
        if (x.Length != Operands) throw new ShapeException($"{Name}: takes {Operands} operands, not {x.Length}");
        foreach (var v in x)
        {
            if (v.Type.DType is not (DType.Float32 or DType.Float64) || v.Type.DType != x[0].Type.DType)
                throw new ShapeException($"{Name}: takes float32 or float64 operands of one type, not {v.Type}",
                    Shared.Errors.ErrorCode.ElementType);
        }

        return _apply(x);
    }

    /// <summary>x ↦ next(this(x)), by the chain rule.</summary>
    public ElementwiseFunction Then(ElementwiseFunction next) => next.Operands == 1
        ? new ElementwiseFunction($"{Name} then {next.Name}", Operands, x => next.Apply(Apply(x)))
        : throw new ShapeException($"{next.Name} takes {next.Operands} operands: it cannot follow {Name}");

    /// <summary>
    /// (x0, x1, ..) ↦ this(f(x0, x1, ..), g(x0, x1, ..), ..): each inner function sees all operands, and the gradients
    /// that reach an operand through several of them add.
    /// </summary>
    /// <exception cref="ShapeException">Not one inner function for each operand, or they take different
    /// numbers of operands.</exception>
    public ElementwiseFunction After(params IReadOnlyList<ElementwiseFunction> inner)
    {
        if (inner.Count != Operands)
            throw new ShapeException($"{Name} takes {Operands} operands: {inner.Count} functions cannot make them");
        if (inner.FirstOrDefault(f => f.Operands != inner[0].Operands) is { } odd)
            throw new ShapeException($"{odd.Name} takes {odd.Operands} operands, {inner[0].Name} {inner[0].Operands}: "
                + $"both cannot go into {Name}");
        return new ElementwiseFunction($"{Name} after ({string.Join(", ", inner.Select(f => f.Name))})",
            inner[0].Operands, x => Apply([.. inner.Select(f => f.Apply(x))]));
    }

    private static TensorType Common(IReadOnlyList<TensorType> types) =>
        types.Aggregate((a, b) => Broadcasting.Common(OpTable.Add, a, b));

    private static Tensor Map(IReadOnlyList<Tensor> x, Func<IReadOnlyList<double>, double> value)
    {
        var shape = Common([.. x.Select(t => t.Type)]).At(0);
        double[][] values = [.. x.Select(t => t.BroadcastTo(shape).Cast(DType.Float64).ToArray<double>())];
        var results = new double[shape.Count];
        var at = new double[values.Length];
        for (var i = 0; i < results.Length; i++)
        {
            for (var k = 0; k < at.Length; k++) at[k] = values[k][i];
            results[i] = value(at);
        }

        return Tensor.Of<double>(results, shape).Cast(x[0].DType);
    }
}
