using Convoy.Autodiff.Numerics;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim.SecondOrder;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// AD-06, AD-10, AD-12, MEM-13: a scope belongs to the thread that opened it, ends once, in any order and on any
/// thread, and is over for that thread alone.
/// </summary>
public sealed class ScopeTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    private static bool DropsOut()
    {
        var x = new Variable(Tensor.Ones(DType.Float64, 500));
        var y = x.Builder.Apply(OpTable.Dropout, Attributes.Of("rate", 0.5).With("seed", 3), [x])[0];
        return ((Variable)y).Data.ToArray<double>().Contains(0);
    }

    private static double ReluSlope()
    {
        var x = Of(-1);
        ((Variable)x.Relu()).Backward();
        return x.Gradient!.At(0);
    }

    private static bool RefusesWrites()
    {
        var x = Of(2);
        var y = (Variable)x.Square();
        x.Data.Fill(1);
        return y.TryBackward() is not null;
    }

    private static bool FindsNaN()
    {
        try
        {
            Of(-1).Log();
            return false;
        }
        catch (AnomalyException)
        {
            return true;
        }
    }

    // Each kind of scope, with what can be seen of it on a thread.
    private static readonly (string Name, Func<IDisposable> Open, Func<bool> IsIn)[] Kinds =
    [
        ("no gradients", GradientMode.Off, () => !GradientMode.IsOn),
        ("evaluation", TrainingMode.Evaluate, () => !DropsOut()),
        ("anomalies", () => AnomalyMode.On(), FindsNaN),
        ("saved values", () => SavedValues.Own(), () => !RefusesWrites()),
        ("copies", SavedValues.CopyOnWrite, () => !RefusesWrites()),
        ("environment", () => new VariableEnvironment(), () => VariableEnvironment.Current is not null),
        ("override", () => GradientOverride.Use(OpTable.Relu, g => [g.Gradient]), () => ReluSlope() == 1),
        ("subgradient", () => Subgradients.Use(KinkRule.Right), () => GradientOverride.IsUsedFor(OpTable.Abs)),
        ("fallback", () => OperatorFallback.Use("sort", (x, _) => [x[0]]), () => OperatorFallback.Exists(OpTable.Sort)),
        ("guard", () => NumericGuard.Use(NumericPolicy.Permissive), () => ((Variable)Of(-1).Log()).Data.At(0) == 0),
        ("profile", new OpProfile(TimeProvider.System).Start, () => OpProfile.Current is not null),
    ];

    public static TheoryData<string> Names() => [.. Kinds.Select(k => k.Name)];

    private static T OnAnotherThread<T>(Func<T> run)
    {
        // An error there is one of the test, not the end of the process.
        var done = new TaskCompletionSource<T>();
        var thread = new Thread(() =>
        {
            try { done.SetResult(run()); }
            catch (Exception cause) { done.SetException(cause); }
        });
        thread.Start();
        thread.Join();
        return done.Task.GetAwaiter().GetResult();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AScope_EndsOnAnyThread_ForItsOwnAlone(string name)
    {
        // As after an await: the scope is disposed where the rest of the method runs.
        var (_, open, isIn) = Kinds.Single(k => k.Name == name);
        Assert.False(isIn());
        var scope = open();
        Assert.True(isIn());
        Assert.False(OnAnotherThread(() =>
        {
            scope.Dispose();
            scope.Dispose();
            return isIn();
        }));
        Assert.False(isIn());
        scope.Dispose();
        using (open()) Assert.True(isIn());
        Assert.False(isIn());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void AScope_OpensWhereTheLastOneWasEndedByAnotherThread(string name)
    {
        // On a thread that knows no other scope.
        var (_, open, isIn) = Kinds.Single(k => k.Name == name);
        Assert.True(OnAnotherThread(() =>
        {
            var scope = open();
            OnAnotherThread(() =>
            {
                scope.Dispose();
                return true;
            });
            using (open()) return isIn();
        }));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Scopes_EndInAnyOrder(string name)
    {
        var (_, open, isIn) = Kinds.Single(k => k.Name == name);
        var (outer, inner) = (open(), open());
        outer.Dispose();
        Assert.True(isIn());
        inner.Dispose();
        Assert.False(isIn());
    }

    [Fact]
    public void ScopesThatEndHandOverHand_AreLetGo()
    {
        static WeakReference First(out IDisposable last)
        {
            var first = AnomalyMode.On(1);
            last = first;
            for (var i = 0; i < 10; i++)
            {
                var next = AnomalyMode.On(i);
                last.Dispose();
                last = next;
            }

            return new WeakReference(first);
        }

        var gone = First(out var last);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.False(gone.IsAlive);
        last.Dispose();
    }

    [Fact]
    public void Gradients_OfAnOuterEnvironment_AreNotLost_WhenItEndsFirst()
    {
        var (outer, inner) = (new VariableEnvironment(), new VariableEnvironment());
        outer.Dispose();
        var x = Of(3);
        ((Variable)x.Square()).Backward();
        Assert.Equal(6, inner.Gradients.Of(x)!.At(0));
        inner.Dispose();
        ((Variable)x.Square()).Backward();
        Assert.Equal(6, x.Gradient!.At(0));
    }

    // AD-06, HO-01..04: what differentiates by itself is right where a caller has recording off.
    [Fact]
    public void Derivatives_AreTheSame_WhereNothingIsRecorded()
    {
        static Variable F(Variable x) => (Variable)(x.Sin() * x.Exp());
        static Variable Sum(Variable x) => (Variable)F(x).Sum();
        var (x, v) = (Tensor.Of([0.3, -1, 2], 3), Tensor.Of([1.0, 2, 3], 3));
        Tensor[] All() =>
        [
            Derivatives.Gradient(Sum, x), Derivatives.Jacobian(F, x, JacobianMode.Rows),
            Derivatives.Jacobian(F, x, JacobianMode.Columns), Derivatives.Jvp(F, x, v).Tangent,
            Derivatives.Vjp(F, x, v).Gradient, Derivatives.Hessian(Sum, x), Derivatives.HessianVector(Sum, x, v),
            Derivatives.HessianDiagonal(Sum, x), Derivatives.Nth(F, x, 3),
            .. Vmap.PerSampleGradients((p, d) => (p[0] * d[0]).Sum().Square(), [x],
                [Tensor.Of([1.0, 2, 3, 4, 5, 6], 2, 3)]),
            .. VjpStrategy.Standard.Run(new FunctionChain(a => a.Sin()), x, v).Gradients,
            .. VjpStrategy.Checkpointed.Run(new FunctionChain(a => a.Sin(), a => a.Exp()), x, v).Gradients,
            Tensor.Of<double>([.. new LossAt(p => Sum(p[0]), [x]).HessianVector([1, 2, 3])], new Shape(3)),
            Differentiate.Gradient([Differentiate.Gradient([Recorded], [Free], createGraph: true)[0]], [Free])[0].Data,
        ];
        var expected = All();
        using var scope = GradientMode.Off();
        var found = All();
        Assert.False(GradientMode.IsOn);
        Assert.All(expected.Zip(found), p => Assert.Equal(p.First.ToArray<double>(), p.Second.ToArray<double>()));
        Assert.All(found, g => Assert.Contains(g.ToArray<double>(), e => e != 0));
    }

    private static readonly Variable Free = Of(2);
    private static readonly Variable Recorded = (Variable)Free.Pow(3);

    [Fact]
    public void RecordingComesBackOn_InsideAScopeWithout()
    {
        var x = Of(2);
        using (GradientMode.Off())
        {
            using (GradientMode.On())
            {
                Assert.True(((Variable)x.Square()).RequiresGradient);
                using (GradientMode.Off()) Assert.False(GradientMode.IsOn);
                Assert.True(GradientMode.IsOn);
            }

            Assert.False(((Variable)x.Square()).RequiresGradient);
        }

        Assert.True(GradientMode.IsOn);
    }
}
