using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Optim.Gradients;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Optim;

/// <summary>OPTIM-01 to OPTIM-05, GP-01, GP-07: eager variables in groups, as a user trains them.</summary>
public sealed class VariableOptimizerTests
{
    private static Variable Of(DType type, Shape shape, params double[] values) =>
        new(Tensor.Of<double>(values, shape).Cast(type), requiresGradient: true);

    // Figures of PyTorch 1.13, the same program with groups of parameters: four steps, in one of which b has no
    // gradient.
    public static TheoryData<string, double[]> Trainings() => new()
    {
        { "adam",
            [1.264923987681084, -1.704449641513762, 2.631870225726838, 0.105489538423772,
                0.270352192708563, -0.73013880387548] },
        { "sgd",
            [1.00092766368, -1.55776007616, 0.36237490176, -1.89613600512,
                0.262188102953369, -0.928291839664705] },
        { "nadam",
            [1.121346740770087, -1.858901554488296, 2.580564889964515, 0.11716922337149,
                0.27507042332069, -0.72579640105496] },
    };

    [Theory]
    [MemberData(nameof(Trainings))]
    public void GroupsHaveSettingsOfTheirOwn_AndSkipWhatHasNoGradient(string kind, double[] expected)
    {
        var (first, second, none) = kind switch
        {
            "adam" => (new OptimizerSpec { Lr = 0.1, Amsgrad = true },
                new OptimizerSpec { Lr = 0.01, WeightDecay = 0.1, Beta1 = 0.5, Beta2 = 0.9 }, 2),
            "sgd" => (new OptimizerSpec { Lr = 0.01, Momentum = 0.9, Nesterov = true },
                new OptimizerSpec { Lr = 0.02, Momentum = 0.5, Dampening = 0.3, WeightDecay = 0.1 }, 1),
            _ => (new OptimizerSpec { Lr = 0.1 }, new OptimizerSpec { Lr = 0.01, MomentumDecay = 0.1 }, 3),
        };
        foreach (var (type, tolerance) in new[] { (DType.Float64, 1e-13), (DType.Float32, 1e-5) })
        {
            var (w, b) = (Of(type, new Shape(2, 2), 1, -2, 3, 0.5), Of(type, new Shape(2), 0.3, -0.7));
            var optimizer = new VariableOptimizer(first with { Kind = kind }, [w]);
            Assert.Equal(1, optimizer.Add(second with { Kind = kind }, [b]));
            for (var t = 1; t <= 4; t++)
            {
                optimizer.ClearGradients();
                Value x = new Variable(Tensor.Of([t, 2.0], 2).Cast(type));
                var loss = w.MatMul(x).Square().Sum();
                if (t != none) loss += b.Pow(3).Sum() * 2;
                ((Variable)loss).Backward();
                optimizer.Step();
            }

            var found = new[] { w, b }.SelectMany(v => v.Data.Cast(DType.Float64).ToArray<double>());
            Assert.All(expected.Zip(found), p => Assert.Equal(p.First, p.Second, tolerance));
            Assert.Equal(4, optimizer.Steps);
        }
    }

    public static TheoryData<string> Kinds() => [.. UpdateRule.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void EveryRule_FitsALine(string kind)
    {
        var (w, b) = (Of(DType.Float64, new Shape(1, 2), 0.3, -0.1), Of(DType.Float64, new Shape(1), 0));
        var x = new Variable(Tensor.Of([0.0, 1, 1, 0, 1, 1, 2, -1], 4, 2));
        var y = new Variable(Tensor.Of([-1.0, 3, 1, 7], 4, 1));
        var optimizer = new VariableOptimizer(
            new OptimizerSpec
            {
                // The first steps of adadelta are as small as the root of its epsilon.
                Kind = kind, Lr = kind == "adadelta" ? 1 : 0.05, Epsilon = kind == "adadelta" ? 1e-3 : 1e-8,
                Schedule = new() { Kind = "cosine" },
            },
            [w, b], 300)
        { Gradients = new GradientPipeline(new CleanGradients(), new ClipByGlobalNorm(5)) };
        double Loss(bool train)
        {
            var loss = (Variable)(x.Linear(w, b) - y).Square().Mean();
            if (train) loss.Backward();
            return loss.Data.At();
        }

        var before = Loss(train: false);
        for (var t = 0; t < 300; t++)
        {
            Loss(train: true);
            Assert.Equal(2, optimizer.Step().Count);
            optimizer.ClearGradients();
        }

        Assert.InRange(Loss(train: false), 0, before / 2);
        Assert.Equal(0, optimizer.RateOf(0), 1e-12);
    }

    [Fact]
    public void ScaleScheduleAndPlateau_MakeTheRate()
    {
        var x = Of(DType.Float64, new Shape(1), 1);
        var optimizer = new VariableOptimizer(
            new OptimizerSpec { Kind = "sgd", Lr = 0.5, Schedule = new() { Kind = "linear", Warmup = 2 } }, [x], 10);
        Assert.Equal(0.25, optimizer.RateOf(0));
        x.Gradient = Tensor.Of([4.0], 1);
        optimizer.Step(gradientScale: 0.25);
        Assert.Equal(0.75, x.Data.At(0));
        var plateau = new PlateauSchedule(1, factor: 0.1, patience: 0);
        plateau.Next(1);
        optimizer.RateFactor = plateau.Next(1);
        Assert.Equal(0.05, optimizer.RateOf(0), 1e-15);
        // What is recorded before a step is out of date after it.
        var y = (Variable)x.Square();
        optimizer.Step();
        Assert.Throws<GradientException>(() => y.Backward());
    }

    [Fact]
    public void GradientsOfAnEnvironment_AreThose_ThatAreRead()
    {
        var x = Of(DType.Float64, new Shape(1), 1);
        var optimizer = new VariableOptimizer(new OptimizerSpec { Kind = "sgd", Lr = 1 }, [x]);
        using var environment = new VariableEnvironment();
        ((Variable)(x * 0.25)).Backward();
        optimizer.Step();
        optimizer.ClearGradients();
        Assert.Equal((0.75, 0), (x.Data.At(0), environment.Gradients.Count));
        Assert.Empty(optimizer.Step());
        Assert.Equal(0.75, x.Data.At(0));
    }

    [Fact]
    public void WhatIsNoParameter_IsRefused_AndChangesNothing()
    {
        var x = Of(DType.Float64, new Shape(2), 1, 2);
        var sgd = new OptimizerSpec { Kind = "sgd", Lr = 1 };
        var optimizer = new VariableOptimizer(sgd, [x]);
        string Refused(params Variable[] parameters) =>
            Assert.Throws<ArgumentException>(() => optimizer.Add(sgd, parameters)).Message;
        Assert.Contains("in a group already", Refused(x), StringComparison.Ordinal);
        var fresh = Of(DType.Float64, new Shape(2), 1, 2);
        Assert.Contains("p2, float64[2], is in a group already", Refused(fresh, fresh), StringComparison.Ordinal);
        Assert.Contains("requiresGradient: true", Refused(new Variable(x.Data)), StringComparison.Ordinal);
        Assert.Contains("requiresGradient: true", Refused((Variable)x.Square()), StringComparison.Ordinal);
        var view = new Variable(Tensor.Of([1.0, 2, 3, 4], 2, 2).Transpose(), requiresGradient: true);
        Assert.Contains("is a view", Refused(view), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => optimizer.Add(sgd, [fresh], ["a", "b"]));
        x.Gradient = Tensor.Ones(DType.Float64, 3);
        Assert.Contains("p0: a gradient of float64[3]",
            Assert.Throws<ShapeException>(() => optimizer.Step()).Message, StringComparison.Ordinal);
        Assert.Equal((0, 1.0), (optimizer.Steps, x.Data.At(0)));
        optimizer.Add(sgd, [fresh]);
    }

    [Theory]
    [InlineData("lr", "optimizer.lr is 0 or more, not NaN")]
    [InlineData("beta1", "optimizer.beta1 is 0 to below 1, not 1")]
    [InlineData("nesterov", "optimizer.nesterov takes a momentum above 0 and no dampening")]
    [InlineData("decay", "optimizer.weight_decay is 0 or more, not -0.1")]
    public void SettingsWithoutAMeaning_AreNamed(string what, string expected)
    {
        var spec = what switch
        {
            "lr" => new OptimizerSpec { Lr = double.NaN },
            "beta1" => new OptimizerSpec { Beta1 = 1 },
            "decay" => new OptimizerSpec { WeightDecay = -0.1 },
            _ => new OptimizerSpec { Kind = "sgd", Nesterov = true },
        };
        var refused = Assert.Throws<UserException>(() => new VariableOptimizer(spec, []));
        Assert.Equal(expected, refused.Message);
        Assert.Throws<UserException>(() => UpdateRule.Create(spec));
    }

    [Fact]
    public void ARule_NamesWhatDoesNotFit()
    {
        double[] w = [1, 2], none = [];
        void Says(string kind, string part, double[] gradient, double[][] state, long step = 1) => Assert.Contains(part,
            Assert.Throws<ArgumentException>(() => UpdateRule.Create(new OptimizerSpec { Kind = kind }).Apply<double>(
                w, gradient, [.. state.Select(s => s.AsMemory())], new RuleStep(step, 0.1))).Message,
            StringComparison.Ordinal);
        Says("adam", "adam: 2 weights have no gradient of 1 elements", [1], [[0, 0], [0, 0]]);
        Says("adam", "it keeps 2 vectors (moment1, moment2), 0 are given", [1, 1], []);
        Says("adam", "moment2 has 1 elements for 2 weights", [1, 1], [[0, 0], [0]]);
        Says("adam", "steps count from 1, this is 0", [1, 1], [[0, 0], [0, 0]], 0);
        Says("lamb", "lamb: it looks at whole parameters: their places are missing", [1, 1], [[0, 0], [0, 0]]);
        Says("adafactor", "their places are missing", [1, 1], [[0, 0]]);
        Assert.Equal([1, 2], w);
        UpdateRule.Create(new OptimizerSpec { Kind = "lamb" }).Apply<double>(none, none, [none, none], new RuleStep(1, 1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AnOptimizerThatWasSaved_GoesOnWithTheSameBits(string kind)
    {
        // OPTIM-01 to OPTIM-03: one training, and one that another optimizer takes over after three of seven steps.
        var spec = new OptimizerSpec
        {
            Kind = kind, Lr = 0.05, WeightDecay = 0.1, Momentum = 0.9, Amsgrad = kind is "adam" or "adamw",
            Centered = true, Schedule = new ScheduleSpec { Kind = "cosine", Warmup = 2 },
        };
        foreach (var type in new[] { DType.Float64, DType.Float32 })
        {
            Variable[] whole = Parameters(type), parts = Parameters(type);
            VariableOptimizer Of(Variable[] p) => new(spec, p, 7);
            var (one, two) = (Of(whole), Of(parts));
            for (var t = 1; t <= 7; t++)
            {
                // OPTIM-04: the rate was cut before the other takes over.
                if (t == 2) one.RateFactor = two.RateFactor = 0.5;
                if (t == 4)
                {
                    var saved = two.Save();
                    two = Of(parts);
                    two.Restore(saved);
                    Assert.Equal(3, two.Steps);
                }

                foreach (var (p, optimizer) in new[] { (whole, one), (parts, two) })
                {
                    optimizer.ClearGradients();
                    var loss = (p[0].Square().Sum() * t) + (p[0] * 0.3).Sin().Sum();
                    // The second has fewer steps than the optimizer.
                    if (t != 2) loss += p[1].Pow(3).Sum();
                    ((Variable)loss).Backward();
                    optimizer.Step();
                }
            }

            for (var i = 0; i < 2; i++)
                Assert.Equal(whole[i].Data.Cast(DType.Float64).ToArray<double>(),
                    parts[i].Data.Cast(DType.Float64).ToArray<double>());
        }

        static Variable[] Parameters(DType type) =>
            [Of(type, new Shape(2, 3), 1, -2, 3, 0.5, 0.1, -0.7), Of(type, new Shape(2), 0.3, 0.7)];
    }

    [Fact]
    public void WhatDoesNotFit_IsNotRestored()
    {
        VariableOptimizer Of(string kind, params int[] dims) =>
            new(new OptimizerSpec { Kind = kind }, [new Variable(Tensor.Ones(DType.Float64, dims), true)]);
        var saved = Of("adam", 3).Save();
        Assert.Equal(["steps", "rate_factor", "p0.steps", "p0.moment1", "p0.moment2"], saved.Names);
        foreach (var other in new[] { Of("lion", 3), Of("adam", 4), Of("adagrad", 3) })
            Assert.Throws<ShapeException>(() => other.Restore(saved));
        Of("adam", 3).Restore(saved);
    }
}
