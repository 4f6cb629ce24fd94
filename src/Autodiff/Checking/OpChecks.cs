using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking;

/// <summary>The checks of one sample. Each returns null, or one line that says what is wrong.</summary>
internal static class OpChecks
{
    private const double ForwardTolerance = 1e-9;
    private const double LinkTolerance = 1e-9;
    // Derivatives in float32 against those in float64: a gradient adds up what the forward pass rounded.
    private const double FloatGradientFactor = 50;

    /// <summary>Every element of the results is what plain arithmetic says.</summary>
    public static string? Forward(OpSample sample)
    {
        if (References.Of(sample.Op) is null) return "no reference";
        var results = sample.RunAll(sample.Inputs);
        for (var n = 0; n < Math.Min(results.Length, 2); n++)
        {
            if (References.Of(sample.Op, n) is { } reference && Differs(sample, results[n], reference) is { } fault)
                return fault;
        }

        return null;
    }

    private static string? Differs(OpSample sample, Tensor y, References.Reference reference)
    {
        foreach (var place in References.Places(y.Shape.Dims))
        {
            var (actual, expected) = (y.At(place), reference(sample, place));
            var error = Math.Abs(actual - expected);
            if (!(error <= 1e-11 + (ForwardTolerance * Math.Abs(expected))))
                return $"{sample.Name}: [{string.Join(",", place)}] is {actual:r}, the reference {expected:r}";
        }

        return null;
    }

    public static string? Float32(OpSample sample)
    {
        var exact = sample.Run(sample.Inputs).Cast(DType.Float64).ToArray<double>();
        var narrow = sample.InFloat32();
        return Near(sample, exact, narrow.Run(narrow.Inputs).Cast(DType.Float64).ToArray<double>(), 1, "float32");
    }

    public static string? Gradient(OpSample sample) => Difference(sample, sample.Apply, 1e-6);

    public static string? SecondGradient(OpSample sample) => Difference(sample, inputs => First(sample, inputs), 5e-6);

    public static string? GradientInFloat32(OpSample sample)
    {
        var narrow = sample.InFloat32();
        return Near(sample, FirstNumbers(sample), FirstNumbers(narrow), FloatGradientFactor, "gradient in float32");
    }

    public static string? SecondGradientInFloat32(OpSample sample)
    {
        var narrow = sample.InFloat32();
        return Near(sample, SecondNumbers(sample), SecondNumbers(narrow), FloatGradientFactor,
            "second gradient in float32");
    }

    /// <summary>u·(J t), forward mode, is (Jᵀ u)·t, reverse mode.</summary>
    public static string? Tangent(OpSample sample, double tolerance = LinkTolerance)
    {
        Variable[] inputs = [.. sample.Inputs.Select(t => new Variable(t, IsFloat(t)))];
        var output = sample.Apply(inputs);
        Variable[] free = [.. inputs.Where(v => v.RequiresGradient)];
        if (free.Length == 0 || !IsFloat(output.Data)) return null;
        Variable[] tangents = [.. free.Select((v, n) => Direction(v.Data, (ulong)n + 1))];
        var u = Direction(output.Data, 0);
        var gradients = Differentiate.Gradient([output], free, [u]);
        var forward = Differentiate.Forward([output], free, tangents)[0];
        var (left, right, scale) = (Dot(u.Data, forward.Data), 0.0, 1.0);
        for (var i = 0; i < free.Length; i++)
        {
            right += Dot(gradients[i].Data, tangents[i].Data);
            scale += gradients[i].Data.Cast(DType.Float64).ToArray<double>().Sum(Math.Abs);
        }

        return Math.Abs(left - right) <= tolerance * scale ? null
            : $"{sample.Name}: u·Jt is {left:r}, t·Jᵀu is {right:r}";
    }

    /// <summary>Operands of unlike shapes give the bits of operands that were repeated by hand.</summary>
    public static string? Broadcasting(OpSample sample)
    {
        var y = sample.Run(sample.Inputs);
        Tensor[] repeated = [.. sample.Inputs.Select(t => t.BroadcastTo(y.Shape).Copy())];
        return SameBits(y, sample.Run(repeated)) ? null : $"{sample.Name}: repeated operands give another result";
    }

    public static string? Empty(OpSample sample)
    {
        Variable[] inputs = [.. sample.Inputs.Select(t => new Variable(t, IsFloat(t)))];
        var output = sample.Apply(inputs);
        if (!IsFloat(output.Data) || inputs.Length == 0) return null;
        Variable[] free = [.. inputs.Where(v => v.RequiresGradient)];
        var gradients = Differentiate.Gradient([output], free);
        for (var i = 0; i < free.Length; i++)
        {
            if (gradients[i].Data.Shape != free[i].Data.Shape)
                return $"{sample.Name}: a gradient has the shape {gradients[i].Data.Shape}";
            if (gradients[i].Data.Cast(DType.Float64).ToArray<double>().Any(g => !double.IsFinite(g)))
                return $"{sample.Name}: a gradient is not finite";
        }

        return null;
    }

    /// <summary>The same elements in memory that is turned around and has gaps give the same bits.</summary>
    public static string? Strided(OpSample sample) =>
        SameBits(sample.Run(sample.Inputs), sample.Run([.. sample.Inputs.Select(StridedCopyOf)])) ? null
        : $"{sample.Name}: a view gives other bits than a copy";

    /// <summary>No gradient flows, or only zeros: the function is flat between its jumps.</summary>
    public static bool IsFlat(OpSample sample)
    {
        var output = sample.Run(sample.Inputs);
        return !IsFloat(output) || FirstNumbers(sample).All(g => g == 0);
    }

    internal static bool SameBits(Tensor a, Tensor b)
    {
        if (a.Shape != b.Shape || a.DType != b.DType) return false;
        return a.DType switch
        {
            DType.Float32 => a.ToArray<float>().Select(BitConverter.SingleToInt32Bits)
                .SequenceEqual(b.ToArray<float>().Select(BitConverter.SingleToInt32Bits)),
            DType.Float64 => a.ToArray<double>().Select(BitConverter.DoubleToInt64Bits)
                .SequenceEqual(b.ToArray<double>().Select(BitConverter.DoubleToInt64Bits)),
            _ => a.ToArray<int>().AsSpan().SequenceEqual(b.ToArray<int>()),
        };
    }

    private static Tensor StridedCopyOf(Tensor tensor)
    {
        if (tensor.Rank == 0) return tensor;
        int[] reversed = [.. Enumerable.Range(0, tensor.Rank).Reverse()];
        int[] dims = [.. tensor.Transpose(reversed).Shape.Dims.ToArray()];
        dims[^1] = (dims[^1] * 2) + 1;
        var roomy = Tensor.Full(tensor.DType, 77, new Shape(dims));
        var specs = new SliceSpec[dims.Length];
        Array.Fill(specs, SliceSpec.All);
        specs[^1] = SliceSpec.Range(1, ^0, 2);
        var view = roomy.Slice(specs).Transpose(reversed);
        view.CopyFrom(tensor);
        return view;
    }

    private static bool IsFloat(Tensor t) => t.DType is DType.Float32 or DType.Float64;

    private static string? Difference(OpSample sample, Func<Variable[], Variable> function, double tolerance)
    {
        var options = new GradCheckOptions(RelativeTolerance: tolerance);
        foreach (var result in GradCheck.Run(function, sample.Inputs, options))
            if (!GradCheck.Passes(result, options)) return $"{sample.Name}: {result}";
        return null;
    }

    // The gradients of a weighted sum of the results, in one row, with a history.
    private static Variable First(OpSample sample, Variable[] inputs)
    {
        Variable[] free =
            [.. inputs.Select(v => IsFloat(v.Data) && !v.RequiresGradient ? new Variable(v.Data, true) : v)];
        var output = sample.Apply(free);
        Variable[] wanted = [.. free.Where(v => v.RequiresGradient)];
        var gradients = Differentiate.Gradient([output], wanted, [Direction(output.Data, 0)], createGraph: true);
        Value[] flat = [.. gradients.Select(g => g.Reshape((int)g.Data.Count))];
        return (Variable)(flat.Length == 1 ? flat[0] : Functions.Concat(0, flat));
    }

    private static double[] FirstNumbers(OpSample sample) =>
        sample.Inputs.Any(IsFloat) ? Numbers(First(sample, [.. sample.Inputs.Select(t => new Variable(t))])) : [];

    private static double[] SecondNumbers(OpSample sample)
    {
        Variable[] inputs = [.. sample.Inputs.Select(t => new Variable(t, IsFloat(t)))];
        var first = First(sample, inputs);
        Variable[] wanted = [.. inputs.Where(v => v.RequiresGradient)];
        return [.. Differentiate.Gradient([first], wanted, [Direction(first.Data, 0)]).SelectMany(Numbers)];
    }

    private static double[] Numbers(Variable v) => v.Data.Cast(DType.Float64).ToArray<double>();

    private static string? Near(OpSample sample, double[] exact, double[] values, double factor, string what)
    {
        var top = exact.Length == 0 ? 0 : exact.Max(Math.Abs);
        for (var i = 0; i < exact.Length; i++)
        {
            var limit = sample.FloatTolerance * factor * Math.Max(1, factor > 1 ? top : Math.Abs(exact[i]));
            if (!(Math.Abs(exact[i] - values[i]) <= limit) && !exact[i].Equals(values[i]))
                return $"{sample.Name}: {what} [{i}] is {values[i]:r}, in float64 {exact[i]:r}";
        }

        return null;
    }

    // Fixed numbers in which nothing cancels, the same in both element types.
    private static Variable Direction(Tensor like, ulong stream)
    {
        var random = new RandomStream(11, RandomPurpose.Mask, stream);
        var values = new double[like.Count];
        for (var i = 0; i < values.Length; i++) values[i] = Math.Round((random.Uniform(i) * 2) - 1, 3) + 0.25;
        return new Variable(Tensor.Of<double>(values, like.Shape).Cast(like.DType));
    }

    private static double Dot(Tensor a, Tensor b) =>
        a.Cast(DType.Float64).ToArray<double>().Zip(b.Cast(DType.Float64).ToArray<double>(), (x, y) => x * y).Sum();
}
