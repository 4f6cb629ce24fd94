using Convoy.Autodiff.Ops;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// Makes kernels for a fused operator: two steps, of which the second alone reads what the first wrote, become one step
/// whose loop is instantiated from a template (<see cref="Then{TFirst, TSecond}"/> and the others) by the just-in-time
/// compiler. Repeated, so that a chain of several functions is one loop. The bits stay.
/// </summary>
internal static class FusedTemplates
{
    // Each kernel is compiled once in a process; longer chains run out of registers and take longer to compile.
    private const int FunctionsMax = 4;

    public static FusedProgram Of(FusedProgram program)
    {
        var steps = program.Steps.ToList();
        for (var i = 0; i + 1 < steps.Count;)
        {
            if (Joined(steps, i, program.Registers) is not { } joined)
            {
                i++;
                continue;
            }

            steps[i] = joined;
            steps.RemoveAt(i + 1);
        }

        return program with { Steps = [.. steps] };
    }

    private static FusedStep? Joined(List<FusedStep> steps, int at, int registers)
    {
        var (first, second) = (steps[at], steps[at + 1]);
        if (KernelOf(first.Op) is not { } a || KernelOf(second.Op) is not { } b) return null;
        // What is a result as well must be written.
        if (a.Functions + b.Functions > FunctionsMax || first.To >= registers || IsReadLater(steps, at)) return null;
        var (left, right) = (second.A == first.To, second.B == first.To);
        if (left == right) return null;
        if (!b.IsBinary)
            return a.IsBinary ? Step(typeof(BinaryThen<,>), first.A, first.B)
                : Step(typeof(Then<,>), first.A, FusedStep.None);
        if (a.IsBinary) return null;
        return left ? Step(typeof(ThenLeft<,>), first.A, second.B) : Step(typeof(ThenRight<,>), first.A, second.A);

        FusedStep Step(Type template, int x, int y)
        {
            var made = template.MakeGenericType(a.Operator, b.Operator);
            var kernel = typeof(IUnaryOperator).IsAssignableFrom(made) ? typeof(UnaryKernel<>) : typeof(BinaryKernel<>);
            var op = (IBlockwise)Activator.CreateInstance(
                kernel.MakeGenericType(made), a.Functions + b.Functions)!;
            return new FusedStep(op, Attributes.None, x, y, FusedStep.None, second.To);
        }
    }

    // Anything behind the second step that reads the register before it is written again; the second step may be its
    // writer.
    private static bool IsReadLater(List<FusedStep> steps, int at)
    {
        var register = steps[at].To;
        if (steps[at + 1].To == register) return false;
        for (var i = at + 2; i < steps.Count; i++)
        {
            if (steps[i].A == register || steps[i].B == register || steps[i].C == register) return true;
            if (steps[i].To == register) return false;
        }

        return false;
    }

    private readonly record struct Kernel(Type Operator, bool IsBinary, int Functions);

    private static Kernel? KernelOf(IBlockwise op)
    {
        var functions = op is IMadeKernel made ? made.Functions : 1;
        for (var type = op.GetType(); type is not null; type = type.BaseType)
        {
            if (!type.IsGenericType) continue;
            var family = type.GetGenericTypeDefinition();
            var isUnary = family == typeof(UnaryOp<>) || family == typeof(UnaryKernel<>);
            if (isUnary || family == typeof(BinaryOp<>) || family == typeof(BinaryKernel<>))
                return new Kernel(type.GetGenericArguments()[0], !isUnary, functions);
        }

        return null;
    }

    private interface IMadeKernel
    {
        int Functions { get; }
    }

    private sealed class UnaryKernel<TOperator>(int functions) : IBlockwise, IMadeKernel
        where TOperator : struct, IUnaryOperator
    {
        public int Functions => functions;

        public void Block(
            Attributes attributes, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c,
            Span<float> y) =>
            Elementwise.Unary<float, TOperator>(a, y);
    }

    private sealed class BinaryKernel<TOperator>(int functions) : IBlockwise, IMadeKernel
        where TOperator : struct, IBinaryOperator
    {
        public int Functions => functions;

        public void Block(
            Attributes attributes, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c,
            Span<float> y) =>
            Elementwise.Binary<float, TOperator>(a, b, y);
    }
}
