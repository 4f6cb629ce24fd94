using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tape;

/// <summary>
/// AD-06, AD-08, AD-10, AD-11, AD-12, MEM-11, MEM-13: environments, recording by hand, gradients that are given back.
/// </summary>
public sealed class VariableEnvironmentTests
{
    private static Variable Of(params double[] values) => new(Tensor.Of(values, values.Length), requiresGradient: true);

    [Fact]
    public void AnEnvironment_HoldsVariablesAndTheirGradients()
    {
        var x = Of(3);
        ((Variable)x.Square()).Backward();
        using (var outer = new VariableEnvironment())
        {
            var w = outer.Variable("w", () => Tensor.Of([2f], 1));
            Assert.Same(w, outer.Variable("w", () => Tensor.Of([9f], 1)));
            ((Variable)w.Square()).Backward();
            ((Variable)(x * 5)).Backward();
            Assert.Equal((4, 5), (CurrentGradients.Of(w)!.At(0), CurrentGradients.Of(x)!.At(0)));
            using (var inner = new VariableEnvironment())
            {
                ((Variable)(x * 7)).Backward();
                Assert.Equal(7, inner.Gradients.Of(x)!.At(0));
                Assert.Null(inner.Gradients.Of(w));
            }

            ((Variable)(x * 5)).Backward();
            Assert.Equal(10, CurrentGradients.Of(x)!.At(0));
            CurrentGradients.Put(x, Tensor.Of([1.0], 1));
            Assert.Equal(1, outer.Gradients.Of(x)!.At(0));
            Assert.Throws<ShapeException>(() => CurrentGradients.Put(x, Tensor.Of([1f], 1)));
            CurrentGradients.Clear(x);
            Assert.Null(outer.Gradients.Of(x));
        }

        Assert.Null(VariableEnvironment.Current);
        Assert.Equal(6, x.Gradient!.At(0));
        Assert.Same(x.Gradient, CurrentGradients.Of(x));
    }

    [Fact]
    public void EnvironmentsOfOtherThreads_AreTheirOwn()
    {
        using var environment = new VariableEnvironment();
        VariableEnvironment? seen = environment;
        var thread = new Thread(() => seen = VariableEnvironment.Current);
        thread.Start();
        thread.Join();
        Assert.Null(seen);
    }

    [Fact]
    public void Recording_IsStartedStoppedAndCleared()
    {
        using var environment = new VariableEnvironment();
        var x = Of(2);
        var y = (Variable)x.Square();
        Assert.Equal((1, true), (environment.Recorded, environment.IsRecording));
        environment.Stop();
        environment.Stop();
        Assert.False(((Variable)x.Square()).RequiresGradient);
        Assert.Equal((1, false), (environment.Recorded, environment.IsRecording));
        environment.Start();
        Assert.True(((Variable)x.Square()).RequiresGradient);
        y.Backward(retain: true);
        environment.Clear();
        Assert.Equal((0, 0), (environment.Recorded, environment.Gradients.Count));
        Assert.Throws<GradientException>(() => y.Backward());
        Assert.Equal(4, ((Variable)x.Square()).Data.At(0));
    }

    [Fact]
    public void TheEndOfTheScope_GivesEverythingBack()
    {
        var x = Of(2);
        Variable y;
        using (var environment = new VariableEnvironment())
        {
            y = (Variable)x.Square();
            environment.Stop();
        }

        Assert.True(GradientMode.IsOn);
        Assert.Throws<GradientException>(() => y.Backward());
    }

    [Fact]
    public void TheListOfRecordings_HasABound()
    {
        using var environment = new VariableEnvironment();
        var x = Of(1);
        for (var i = 0; i < 5_000; i++) ((Variable)x.Square()).Backward();
        Assert.Equal(0, environment.Recorded);
        Assert.Equal(10_000, environment.Gradients.Of(x)!.At(0));
    }

    [Fact]
    public void UnusedGradients_AreGivenBack_ByCount_ByReach_AndByAge()
    {
        var table = new GradientTable();
        Variable[] v = [Of(1), Of(2), Of(3)];
        void Fill()
        {
            foreach (var x in v) table.Put(x, Tensor.Zeros(DType.Float64, 1));
        }

        Fill();
        Assert.Equal(24, table.Bytes);
        using (table.Hold(v[1]))
        {
            var again = table.Hold(v[1]);
            again.Dispose();
            again.Dispose();
            Assert.Equal(16, table.ReleaseUnheld());
            Assert.NotNull(table.Of(v[1]));
        }

        Assert.Equal(8, table.ReleaseUnheld());
        Fill();
        Assert.Equal(8, table.Sweep([(Variable)(v[0] * v[2]).Exp()]));
        Assert.Equal([true, false, true], v.Select(x => table.Of(x) is not null));
        Fill();
        table.NextGeneration();
        table.Put(v[2], Tensor.Zeros(DType.Float64, 1));
        Assert.Equal(0, table.ReleaseOlderThan(2));
        Assert.Equal(16, table.ReleaseOlderThan(1));
        Assert.Equal(1, table.Count);
        table.Clear(v[2]);
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void LazyGradients_AreComputedWhenTheyAreRead_AndOnce()
    {
        var (x, y, unused, hooked) = (Of(2), Of(3), Of(4), new List<string>());
        x.OnGradient(g =>
        {
            hooked.Add("x");
            return g;
        });
        y.OnGradient(g =>
        {
            hooked.Add("y");
            return g;
        });
        var lazy = Differentiate.Lazy([(Variable)(x * x * y)], [x, y, unused]);
        Assert.Equal((3, 0), (lazy.Count, lazy.Evaluated));
        Assert.Empty(hooked);
        Assert.Equal(4, lazy[y].At(0));
        Assert.Equal(4, lazy[1].At(0));
        Assert.Equal(["y"], hooked);
        Assert.Equal(12, lazy[0].At(0));
        Assert.Equal(0, lazy[unused].At(0));
        Assert.Equal((3, 2), (lazy.Evaluated, hooked.Count));
        Assert.Throws<GradientException>(() => lazy[Of(1)]);
    }

    [Fact]
    public void LazyGradients_NoticeWhatWasWrittenMeanwhile()
    {
        var x = Of(2);
        var lazy = Differentiate.Lazy([(Variable)x.Square()], [x]);
        x.Data.Fill(5);
        Assert.Throws<GradientException>(() => lazy[0]);
    }

    [Fact]
    public void Evaluation_SwitchesDropoutOff()
    {
        var x = new Variable(Tensor.Ones(DType.Float64, 1_000));
        Value Drop() => x.Builder.Apply(OpTable.Dropout, Attributes.Of("rate", 0.5).With("seed", 3), [x])[0];
        Assert.Contains(0.0, ((Variable)Drop()).Data.ToArray<double>());
        using (var scope = TrainingMode.Evaluate())
        {
            using (TrainingMode.Evaluate()) Assert.False(TrainingMode.IsOn);
            Assert.Same(x, Drop());
            scope.Dispose();
            scope.Dispose();
        }

        Assert.True(TrainingMode.IsOn);
        Assert.Contains(0.0, ((Variable)Drop()).Data.ToArray<double>());
    }
}
