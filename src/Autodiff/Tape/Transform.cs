using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// HO-08: functions of functions. What they return is a function of values again, so they go inside each other in any
/// order: the gradient of a batched function, a compiled function of gradients, a gradient of a compiled gradient. A
/// function is written in operators and looks at no numbers.
/// </summary>
public static class Transform
{
    /// <summary>d f / d x of a function with one number as its result; of x's shape.</summary>
    public static Func<Value, Value> Grad(Func<Value, Value> f) => x => Grad(all => f(all[0]), 0)([x]);

    /// <summary>d f / d x_argument of a function with one number as its result.</summary>
    public static Func<Value[], Value> Grad(Func<Value[], Value> f, int argument) => x =>
    {
        var builder = HighestOf(x);
        var (free, tape, y) = Record(builder, x[argument], v =>
        {
            Value[] seen = [.. x];
            seen[argument] = v;
            return f(seen);
        });
        if (y.Type.Coefficient != 1 || y.Type.IsPerSample)
            throw new ShapeException($"grad: a gradient belongs to one number, not to {y.Type.Text}");
        return Back(builder, free, tape, y, builder.Full(1, y.Type));
    };

    /// <summary>J t of a function at x along t, of the shape of its result: forward mode.</summary>
    public static Func<Value, Value, Value> Jvp(Func<Value, Value> f) => (x, t) =>
    {
        if (!x.Type.Equals(t.Type)) throw new ShapeException($"jvp: a tangent of {t.Type} does not belong to {x.Type}");
        var builder = HighestOf([x, t]);
        var (free, tape, y) = Record(builder, x, f);
        return ForwardMode.Run(builder, tape, [(free, t)], [y])[0] ?? builder.Full(0, y.Type);
    };

    /// <summary>f of each row (first dimension), results stacked on a first dimension.</summary>
    public static Func<Value, Value> Vmap(Func<Value, Value> f) => x => Tape.Vmap.Run(v => f(v[0]), [x]);

    /// <summary>f of each row of the arguments; those that are shared are the same for all rows.</summary>
    public static Func<Value[], Value> Vmap(Func<Value[], Value> f, IReadOnlyList<bool> shared) =>
        x => Tape.Vmap.Run(f, x, shared);

    /// <summary>f as a graph: captured once for each shape of its argument, made smaller, then run.</summary>
    public static Func<Value, Value> Jit(Func<Value, Value> f)
    {
        var compiled = OptimizedFunction.Of("jit", x => f(x[0]));
        return x => compiled.Apply(x);
    }

    /// <summary>f as a graph: captured once for all shapes of its arguments, made smaller, then run.</summary>
    public static Func<Value[], Value> JitOf(Func<Value[], Value> f) => OptimizedFunction.Of("jit", f).Apply;

    /// <summary>f(x) and what was applied on the way, in values of the builder alone.</summary>
    internal static (Value X, Application[] Tape, Value Y) Record(Builder builder, Value x, Func<Value, Value> f)
    {
        // Another handle of x: the function may hold x itself too, and that one is a constant for it.
        var free = builder.Apply(OpTable.Reshape, Attributes.Of("dims", x.Type.Dims), [x])[0];
        var tape = new LocalTape(builder);
        var y = tape.Bare(f(tape.Watch(free)));
        // Rules run below this tape: those that open a tape of their own must stand above everything they see.
        return (free, [.. tape.Entries.Select(e => e with
        {
            Inputs = [.. e.Inputs.Select(tape.Bare)], Outputs = [.. e.Outputs.Select(tape.Bare)],
        })], y);
    }

    /// <summary>Jᵀu of what was recorded; zeros where y does not depend on x.</summary>
    internal static Value Back(Builder builder, Value x, Application[] tape, Value y, Value u)
    {
        var reverse = new ReverseMode(builder);
        reverse.Run(tape, [(y, u)], [x]);
        return reverse.GradientOf(x) ?? builder.Full(0, x.Type);
    }

    private static Builder HighestOf(Value[] x)
    {
        if (x.Length == 0) throw new ShapeException("a transform needs at least one argument");
        return x[0].Builder.Highest(x);
    }
}
