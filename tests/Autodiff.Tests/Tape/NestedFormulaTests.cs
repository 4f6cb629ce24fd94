using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// OPS-15, MEM-05: operators of a user's own whose formulas apply such operators: what they hold between forward and
/// backward are their operands alone, nested as deep as they are.
/// </summary>
public sealed class NestedFormulaTests
{
    private static Value Link(Value x, Value w) => x + x.Linear(w).Gelu();

    private static Value Written(IReadOnlyList<Value> x) => Link(Link(x[0], x[1]), x[2]).Tanh() * x[0];

    // Computed without a tape on the way forward, with one on the way back.
    private static CustomOperator Of(string name, Func<IReadOnlyList<Value>, Value> formula) => CustomOperator.Define(
        name, types => types[0], tensors =>
        {
            using var off = GradientMode.Off();
            return ((Variable)formula([.. tensors.Select(t => new Variable(t))])).Data;
        }, formula);

    private static readonly CustomOperator Inner = Of("link", x => Link(x[0], x[1]));
    private static readonly CustomOperator Outer =
        Of("links", x => Inner.Apply(Inner.Apply(x[0], x[1]), x[2]).Tanh() * x[0]);
    private static readonly CustomOperator Outermost = Of("both", x => Outer.Apply([.. x]));

    private static readonly Tensor[] Operands =
        [TestTensors.Normal(1, 3, 4), TestTensors.Normal(2, 4, 4), TestTensors.Normal(3, 4, 4)];

    private static void Same(Tensor expected, Tensor found) => Assert.All(
        expected.ToArray<double>().Zip(found.ToArray<double>()), p => Assert.Equal(p.First, p.Second, 11));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void GradientsOfAllOperands_Arrive_AndAddUp(int calls)
    {
        foreach (var op in new[] { Outer, Outermost })
        {
            Variable[] x = [.. Operands.Select(t => new Variable(t, requiresGradient: true))];
            Variable[] y = [.. Operands.Select(t => new Variable(t, requiresGradient: true))];
            for (var call = 0; call < calls; call++)
            {
                ((Variable)op.Apply([.. x]).Sum()).Backward();
                ((Variable)Written(y).Sum()).Backward();
            }

            for (var i = 0; i < x.Length; i++) Same(y[i].Gradient!, x[i].Gradient!);
            Assert.All(op.Check(Operands), r => Assert.True(GradCheck.Passes(r), $"{r}"));
        }
    }

    [Fact]
    public void SecondDerivatives_ForwardMode_AndManySamples_GoThrough()
    {
        Value At(CustomOperator? op, Value x) => op is null ? Written([x, Fixed(1), Fixed(2)])
            : op.Apply(x, Fixed(1), Fixed(2));
        Value Fixed(int i) => new Variable(Operands[i]);
        var (x, along) = (Operands[0], TestTensors.Normal(4, 3, 4));
        foreach (var op in new[] { Outer, Outermost })
        {
            Same(Derivatives.Hessian(v => (Variable)At(null, v).Square().Sum(), x),
                Derivatives.Hessian(v => (Variable)At(op, v).Square().Sum(), x));
            Same(Derivatives.Jvp(v => (Variable)At(null, v), x, along).Tangent,
                Derivatives.Jvp(v => (Variable)At(op, v), x, along).Tangent);
            Value PerRow(CustomOperator? of) => Transform.Vmap(
                Transform.Grad(v => At(of, v.Unsqueeze(0)).Square().Sum()))(new Variable(x));
            Same(((Variable)PerRow(null)).Data, ((Variable)PerRow(op)).Data);
        }
    }
}
