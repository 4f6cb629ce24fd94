using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// A function of one number, or of two, applied element by element, with partial derivatives that its author gives as
/// operators: z = f(x, y), dx = dz ∂f/∂x, dy = dz ∂f/∂y. Functions chain with <see cref="Then"/>. Values are computed
/// in float64 and rounded once.
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
    /// <summary>1 or 2.</summary>
    public int Operands { get; }

    /// <summary>A function of one number.</summary>
    /// <param name="name">Named in errors.</param>
    /// <param name="value">f(x).</param>
    /// <param name="derivative">f'(x), as operators; it may be differentiated again.</param>
    public static ElementwiseFunction Of(string name, Func<double, double> value, Func<Value, Value> derivative)
    {
        var op = CustomOperator.Define(
            name, types => types[0], x => Map(x, (at, _) => value(at)), g => [g.Gradient * derivative(g.Inputs[0])]);
        return new ElementwiseFunction(name, 1, x => op.Apply(x));
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
        var op = CustomOperator.Define(
            name, types => Broadcasting.Common(OpTable.Add, types[0], types[1]), x => Map(x, value),
            g => [g.Gradient * byFirst(g.Inputs[0], g.Inputs[1]), g.Gradient * bySecond(g.Inputs[0], g.Inputs[1])]);
        return new ElementwiseFunction(name, 2, x => op.Apply(x));
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

    private static Tensor Map(IReadOnlyList<Tensor> x, Func<double, double, double> value)
    {
        var shape = x.Count == 1 ? x[0].Shape
            : Broadcasting.Common(OpTable.Add, x[0].Type, x[1].Type).At(0);
        double[][] values = [.. x.Select(t => t.BroadcastTo(shape).Cast(DType.Float64).ToArray<double>())];
        var results = new double[shape.Count];
        for (var i = 0; i < results.Length; i++) results[i] = value(values[0][i], values[^1][i]);
        return Tensor.Of<double>(results, shape).Cast(x[0].DType);
    }
}
