using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>
/// HO-01, HO-05: second and third derivatives of every operator, by reverse and forward mode in every order; they see
/// each other's gradient rules, and a third one sees what a second one leaves out.
/// </summary>
public sealed class OrderTests
{
    // Of one operator: axes and shapes change nothing in its rules.
    private const int SamplesMax = 8;

    public static TheoryData<string> Names() =>
        [.. OpSamples.All.Where(IsAsked).Select(s => s.Op.Name).Distinct()];

    private static bool IsAsked(OpSample s) => s.Inputs.Any(IsFloat) && s.Inputs.All(t => t.DType != DType.Float32);

    [Theory]
    [MemberData(nameof(Names))]
    public void ForwardAndReverse_InEveryOrder_Agree(string name)
    {
        foreach (var sample in OpSamples.Of(OpTable.Find(name)!).Where(IsAsked).Take(SamplesMax))
            if (Fault(sample) is { } fault) Assert.Fail($"{sample.Name}: {fault}");
    }

    private static string? Fault(OpSample sample)
    {
        var x = sample.Inputs;
        if (Along(x) is not { } at) return null;
        foreach (var (what, values) in at.Ways)
        {
            for (var i = 0; i < values.Length; i++)
                if (!(Math.Abs(values[i] - at.Second[i]) <= 1e-8 * (1 + at.Second.Max(Math.Abs))))
                    return $"{what} [{i}] is {values[i]:r}, reverse of reverse {at.Second[i]:r}";
        }

        if (!(Math.Abs(at.Third - at.ThirdForward) <= 1e-6 * (1 + Math.Abs(at.Third))))
            return $"third derivative: reverse {at.Third:r}, forward {at.ThirdForward:r}";
        if (!sample.IsSmooth || sample.IsEmpty) return null;
        const double h = 1e-4;
        var numeric = ((8 * (Curve(h) - Curve(-h))) - (Curve(2 * h) - Curve(-2 * h))) / (12 * h);
        return Math.Abs(numeric - at.Third) <= 1e-4 * (1 + Math.Abs(numeric) + Math.Abs(at.Curve)) ? null
            : $"third derivative {at.Third:r}, finite differences of the second {numeric:r}";

        double Curve(double step) => Along([.. x.Select((t, i) => Moved(t, i, step))])!.Curve;
        Derived? Along(Tensor[] inputs) => Derive(sample, inputs);
    }

    private static Tensor Moved(Tensor t, int operand, double step) => !IsFloat(t) ? t
        : ((Variable)(new Variable(t) + (Direction(t, operand + 5) * step))).Data;

    // vᵀHv and its derivative along v, for a weighted sum of the results.
    private static Derived? Derive(OpSample sample, Tensor[] inputs)
    {
        Variable[] x = [.. inputs.Select(t => new Variable(t, IsFloat(t)))];
        var y = sample.Apply(x);
        if (!IsFloat(y.Data) || !y.RequiresGradient) return null;
        y = (Variable)(y * Direction(y.Data, 77)).Sum();
        Variable[] free = [.. x.Where(v => v.RequiresGradient)];
        Variable[] v =
            [.. inputs.Select((t, i) => (t, i)).Where(p => IsFloat(p.t)).Select(p => Direction(p.t, p.i + 5))];
        var gradients = Differentiate.Gradient([y], free, createGraph: true);
        var second = Differentiate.Gradient(gradients, free, v, createGraph: true);
        var tangent = Differentiate.Forward([y], free, v, createGraph: true);
        var curve = Differentiate.Forward(tangent, free, v, createGraph: true);
        var product = Dot(second, v);
        return new Derived(
            Numbers(second), product, Dot(Differentiate.Gradient(second, free, v), v),
            Numbers(Differentiate.Forward(curve, free, v))[0],
            [
                ("forward of reverse", Numbers(Differentiate.Forward(gradients, free, v))),
                ("reverse of forward", Numbers(Differentiate.Gradient(tangent, free))),
            ]);
    }

    private sealed record Derived(
        double[] Second, double Curve, double Third, double ThirdForward, (string What, double[] Values)[] Ways);

    private static bool IsFloat(Tensor t) => t.DType is DType.Float32 or DType.Float64;

    private static Variable Direction(Tensor like, int seed) => new(Tensor.Of<double>(
        [.. Enumerable.Range(0, (int)like.Count).Select(i => Math.Sin((seed * 13.7) + (i * 2.3)) + 0.2)], like.Shape));

    private static double[] Numbers(IEnumerable<Variable> values) =>
        [.. values.SelectMany(v => v.Data.ToArray<double>())];

    private static double Dot(IEnumerable<Variable> a, IEnumerable<Variable> b) =>
        Numbers(a).Zip(Numbers(b), (x, y) => x * y).Sum();
}
