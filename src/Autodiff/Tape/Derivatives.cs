using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>How a Jacobian is taken: row by row backwards, column by column forwards, or whichever are fewer.</summary>
public enum JacobianMode
{
    /// <summary>Rows where the output has no more elements than the input, else columns.</summary>
    Fewer,
    /// <summary>
    /// The chain rule backwards for each element of the output, for many of them in one pass where all operators are of
    /// the table.
    /// </summary>
    Rows,
    /// <summary>One forward-mode pass per element of the input.</summary>
    Columns,
}

/// <summary>
/// Derivatives of functions of one tensor x. A function may have any control flow; it is called once or twice, never
/// once per element. Results have the shape of the output followed by that of x, and its element type: float32 or
/// float64. What is recorded for them is recorded in a scope without recording, too.
/// </summary>
/// <exception cref="ShapeException">x or f(x) is not of floating-point numbers, f(x) is not one number where one is
/// asked for, or a vector has not the shape and type of what it is multiplied with.</exception>
public static class Derivatives
{
    /// <summary>d f / d x of a function with one number as its result; of x's shape.</summary>
    public static Tensor Gradient(Func<Variable, Variable> f, Tensor x)
    {
        using var recording = GradientMode.On();
        var (free, y) = Evaluate(f, x);
        RequireScalar(y, "a gradient");
        return Differentiate.Gradient([y], [free])[0].Data;
    }

    /// <summary>f(x), and J·t along the tangent t of x's shape and type: forward mode (Wengert 1964), for the cost of
    /// about two evaluations.</summary>
    public static (Tensor Value, Tensor Tangent) Jvp(Func<Variable, Variable> f, Tensor x, Tensor tangent)
    {
        using var recording = GradientMode.On();
        var (free, y) = Evaluate(f, x);
        RequireLike(tangent, x, "a tangent");
        return (y.Data, Differentiate.Forward([y], [free], [new Variable(tangent)])[0].Data);
    }

    /// <summary>f(x), and Jᵀ·u for a u of f(x)'s shape and type: reverse mode (Linnainmaa 1976), for the cost of a
    /// few evaluations.</summary>
    public static (Tensor Value, Tensor Gradient) Vjp(Func<Variable, Variable> f, Tensor x, Tensor u)
    {
        using var recording = GradientMode.On();
        var (free, y) = Evaluate(f, x);
        return (y.Data, Differentiate.Gradient([y], [free], [new Variable(u)])[0].Data);
    }

    /// <summary>d f_i / d x_j, of shape [f(x)'s shape, x's shape]; zeros where f does not depend on x.</summary>
    /// <param name="f">Of any shape.</param>
    /// <param name="x">Where.</param>
    /// <param name="mode">Row by row, or column by column.</param>
    public static Tensor Jacobian(Func<Variable, Variable> f, Tensor x, JacobianMode mode = JacobianMode.Fewer)
    {
        using var recording = GradientMode.On();
        var (free, y) = Evaluate(f, x);
        if (mode == JacobianMode.Fewer) mode = y.Data.Count <= x.Count ? JacobianMode.Rows : JacobianMode.Columns;
        return mode == JacobianMode.Rows ? Rows(free, y) : Columns(free, y);
    }

    /// <summary>
    /// d² f / d x_i d x_j of a function with one number as its result, of shape [x's shape, x's shape].
    /// </summary>
    public static Tensor Hessian(Func<Variable, Variable> f, Tensor x)
    {
        using var recording = GradientMode.On();
        var (free, gradient) = GradientWithHistory(f, x);
        return Rows(free, gradient);
    }

    /// <summary>H·v at the cost of a few gradients, without H (Pearlmutter 1994).</summary>
    /// <param name="f">One number from x.</param>
    /// <param name="x">Where.</param>
    /// <param name="v">Of x's shape and type.</param>
    public static Tensor HessianVector(Func<Variable, Variable> f, Tensor x, Tensor v)
    {
        using var recording = GradientMode.On();
        var (free, gradient) = GradientWithHistory(f, x);
        RequireLike(v, x, "v");
        // H is symmetric, so the gradient of the gradient along v is H v.
        return Differentiate.Gradient([gradient], [free], [new Variable(v)])[0].Data;
    }

    /// <summary>d² f / d x_i², of x's shape: one product with H per element.</summary>
    public static Tensor HessianDiagonal(Func<Variable, Variable> f, Tensor x)
    {
        using var recording = GradientMode.On();
        var (free, gradient) = GradientWithHistory(f, x);
        var diagonal = Tensor.Empty(x.DType, x.Shape);
        for (var i = 0; i < x.Count; i++)
        {
            var row = Differentiate.Gradient([gradient], [free], [new Variable(Unit(x, i))])[0].Data;
            CopyElement(row, i, diagonal, i);
        }

        return diagonal;
    }

    /// <summary>
    /// HO-05: the n-th derivative of a function of each element, of x's shape; exact for functions that treat
    /// elements one by one. The cost grows fast with the order: about twice the operators for each.
    /// </summary>
    public static Tensor Nth(Func<Variable, Variable> f, Tensor x, int order)
    {
        if (order < 0) throw new ArgumentException($"an order of derivatives is 0 or more, not {order}");
        using var recording = GradientMode.On();
        var (free, y) = Evaluate(f, x);
        for (var n = 0; n < order; n++) y = Differentiate.Gradient([y], [free], createGraph: n + 1 < order)[0];
        return y.Data;
    }

    private static (Variable X, Variable Y) Evaluate(Func<Variable, Variable> f, Tensor x)
    {
        var free = new Variable(x, requiresGradient: true);
        var y = f(free);
        if (y.Data.DType is not (DType.Float32 or DType.Float64))
            throw new ShapeException(
                $"a function that gives {y.Type} has no derivative: only floating-point numbers do");
        return (free, y);
    }

    private static (Variable X, Variable Gradient) GradientWithHistory(Func<Variable, Variable> f, Tensor x)
    {
        var (free, y) = Evaluate(f, x);
        RequireScalar(y, "a Hessian");
        return (free, Differentiate.Gradient([y], [free], createGraph: true)[0]);
    }

    private static Tensor Rows(Variable x, Variable y)
    {
        var rows = Tensor.Empty(y.Data.DType, Joined(y.Data.Shape, x.Data.Shape));
        var tape = History.Of([y]).Applications();
        var together = ManySeeds.Suit(tape) ? ManySeeds.AtOnce(tape, y.Data.Count) : 1;
        for (var first = 0; first < y.Data.Count; first += together)
        {
            var count = (int)Math.Min(together, y.Data.Count - first);
            var found = count == 1
                ? Differentiate.Gradient([y], [x], [new Variable(Unit(y.Data, first))])[0].Data
                : ManySeeds.Gradients(tape, y, x, Units(y.Data, first, count));
            if (found is not null) CopyElements(found.Contiguous(), rows, (int)(first * x.Data.Count));
        }

        return rows;
    }

    private static Tensor Columns(Variable x, Variable y)
    {
        var columns = Tensor.Empty(x.Data.DType, Joined(y.Data.Shape, x.Data.Shape));
        for (var j = 0; j < x.Data.Count; j++)
        {
            var column = Differentiate.Forward([y], [x], [new Variable(Unit(x.Data, j))])[0].Data.Contiguous();
            for (var i = 0; i < column.Count; i++) CopyElement(column, i, columns, (int)((i * x.Data.Count) + j));
        }

        return columns;
    }

    private static Shape Joined(Shape a, Shape b) => a.Rank + b.Rank <= Limits.TensorRankMax
        ? new Shape([.. a.Dims, .. b.Dims])
        : throw new ShapeException(
            $"all derivatives of {a} by {b} have {a.Rank + b.Rank} dimensions, a tensor has at most "
            + $"{Limits.TensorRankMax}: take x as a vector and reshape it in the function, and flatten the result");

    private static Tensor Unit(Tensor like, int element)
    {
        var unit = Tensor.Empty(like.DType, like.Shape);
        if (like.DType == DType.Float32) unit.Raw<float>()[element] = 1;
        else unit.Raw<double>()[element] = 1;
        return unit;
    }

    // Seeds of the elements from `first` on, one below the other.
    private static Tensor Units(Tensor like, int first, int count)
    {
        var units = Tensor.Empty(like.DType, new([count, .. like.Shape.Dims]));
        for (var i = 0; i < count; i++)
        {
            var at = checked((int)((i * like.Count) + first + i));
            if (like.DType == DType.Float32) units.Raw<float>()[at] = 1;
            else units.Raw<double>()[at] = 1;
        }

        return units;
    }

    private static void CopyElements(Tensor from, Tensor to, int target)
    {
        if (from.DType == DType.Float32) from.Raw<float>()[..(int)from.Count].CopyTo(to.Raw<float>()[target..]);
        else from.Raw<double>()[..(int)from.Count].CopyTo(to.Raw<double>()[target..]);
    }

    private static void CopyElement(Tensor from, int at, Tensor to, int target)
    {
        if (from.DType == DType.Float32) to.Raw<float>()[target] = from.Raw<float>()[at];
        else to.Raw<double>()[target] = from.Raw<double>()[at];
    }

    private static void RequireLike(Tensor vector, Tensor x, string what)
    {
        if (!vector.Type.Equals(x.Type))
            throw new ShapeException($"{what} of {vector.Type} does not belong to x of {x.Type}");
    }

    private static void RequireScalar(Variable y, string what)
    {
        if (y.Data.Count != 1) throw new ShapeException(
            $"{what} belongs to one number, not to {y.Type.Text}; a Jacobian belongs to many");
    }
}
