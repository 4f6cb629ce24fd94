using System.Collections.Immutable;
using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Ops;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking;

/// <summary>What is known of one operator in one element type.</summary>
/// <param name="Note">Empty for most passes; the reason where a check does not apply; what is wrong where it is a
/// gap.</param>
public sealed record OpCell(OpCheckKind Check, DType DType, OpCellState State, string Note);

/// <summary>How a check ended.</summary>
public enum OpCellState
{
    /// <summary>It holds.</summary>
    Pass,
    /// <summary>It says nothing of this operator; the note says why.</summary>
    NotApplicable,
    /// <summary>It fails, or there is no sample to check it with.</summary>
    Gap,
}

/// <summary>The columns of the matrix.</summary>
public enum OpCheckKind
{
    /// <summary>float64 against plain arithmetic, float32 against float64.</summary>
    Forward,
    /// <summary>The gradient against finite differences; in float32 against float64.</summary>
    Gradient,
    /// <summary>The gradient of the gradient, in the same way.</summary>
    SecondGradient,
    /// <summary>Forward mode and reverse mode are each other's transpose.</summary>
    Tangent,
    /// <summary>Operands of unlike shapes are repeated.</summary>
    Broadcasting,
    /// <summary>Dimensions of size 0.</summary>
    ZeroSize,
    /// <summary>Views that are not contiguous give the same bits.</summary>
    Strided,
    /// <summary>
    /// Many samples at once are the samples one by one; the note says whether by a rule or by a loop.
    /// </summary>
    Vmap,
}

/// <summary>One operator and all that is known of it.</summary>
/// <param name="Name">Of the operator.</param>
/// <param name="Cells">Every check in both element types.</param>
public sealed record OpRow(string Name, ImmutableArray<OpCell> Cells)
{
    /// <summary>Vmap applies the operator sample by sample.</summary>
    public bool IsLooped => Cells.Any(c => c.Check == OpCheckKind.Vmap && c.Note == "loop");

    /// <summary>Checks that fail.</summary>
    public IEnumerable<OpCell> Gaps => Cells.Where(c => c.State == OpCellState.Gap);
}

/// <summary>
/// The coverage of operators: every row of <see cref="OpTable"/> times both element types times every check,
/// computed by running the checks on the samples. Inputs and parameters have no formula and no row.
/// </summary>
public static class OpMatrix
{
    /// <summary>Checks all operators; this takes seconds.</summary>
    public static IReadOnlyList<OpRow> Run() => [.. OpTable.All.Where(HasFormula).Select(Row)];

    /// <summary>Checks one operator.</summary>
    public static OpRow Row(Op op)
    {
        var samples = OpSamples.Of(op).ToArray();
        var cells = ImmutableArray.CreateBuilder<OpCell>();
        foreach (var dtype in new[] { DType.Float64, DType.Float32 })
            foreach (var check in Enum.GetValues<OpCheckKind>()) cells.Add(Cell(op, samples, check, dtype));
        return new OpRow(op.Name, cells.ToImmutable());
    }

    /// <summary>False for inputs and parameters.</summary>
    public static bool HasFormula(Op op) => op != OpTable.Input && op != OpTable.Parameter;

    private static OpCell Cell(Op op, OpSample[] samples, OpCheckKind check, DType dtype)
    {
        OpCell Not(string reason) => new(check, dtype, OpCellState.NotApplicable, reason);
        if (samples.Length == 0) return new OpCell(check, dtype, OpCellState.Gap, "no sample");
        var wide = dtype == DType.Float64;
        var chosen = samples;
        switch (check)
        {
            case OpCheckKind.Forward:
                return Run(chosen, check, dtype, wide ? OpChecks.Forward : OpChecks.Float32);
            case OpCheckKind.Gradient or OpCheckKind.SecondGradient or OpCheckKind.Tangent:
                if (NoDerivative(samples) is { } reason) return Not(reason);
                chosen = check == OpCheckKind.Tangent ? samples : [.. samples.Where(s => s.IsSmooth)];
                if (chosen.Length == 0) return Not(
                    $"its operands belong together: checked through {samples[0].GradientOf?.Name ?? "its parts"}");
                return Run(chosen, check, dtype, Derivative(check, wide));
            case OpCheckKind.Broadcasting:
                chosen = [.. samples.Where(s => s.Inputs.Length > 1 && Repeats(op, s))];
                return chosen.Length == 0 ? Not("operands have shapes of their own")
                    : Run(chosen, check, dtype, s => OpChecks.Broadcasting(wide ? s : s.InFloat32()));
            case OpCheckKind.ZeroSize:
                chosen = [.. OpSamples.Empty.Where(s => s.Op == op)];
                if (chosen.Length == 0) return new OpCell(check, dtype, OpCellState.Gap,
                    "no sample with a dimension of size 0");
                return Run(chosen, check, dtype, s => OpChecks.Empty(wide ? s : s.InFloat32()));
            case OpCheckKind.Vmap:
                return samples.All(s => s.Inputs.Length == 0) ? Not("no inputs") : Batched(samples, dtype);
            default:
                return samples.All(s => s.Inputs.Length == 0) ? Not("no inputs")
                    : Run(chosen, check, dtype, s => OpChecks.Strided(wide ? s : s.InFloat32()));
        }
    }

    private static OpCell Batched(OpSample[] samples, DType dtype)
    {
        var looped = new List<string>();
        var cell = Run(samples, OpCheckKind.Vmap, dtype,
            s => BatchChecks.Vmap(dtype == DType.Float64 ? s : s.InFloat32(), looped));
        return cell.State == OpCellState.Pass ? cell with { Note = looped.Count == 0 ? "rule" : "loop" } : cell;
    }

    private static Func<OpSample, string?> Derivative(OpCheckKind check, bool wide) => check switch
    {
        OpCheckKind.Gradient => wide ? OpChecks.Gradient : OpChecks.GradientInFloat32,
        OpCheckKind.SecondGradient => wide ? OpChecks.SecondGradient : OpChecks.SecondGradientInFloat32,
        _ => s => wide ? OpChecks.Tangent(s) : OpChecks.Tangent(s.InFloat32(), 1e-4),
    };

    private static string? NoDerivative(OpSample[] samples)
    {
        if (samples.All(s => s.Inputs.Length == 0)) return "no inputs";
        return samples.All(s => !s.IsSmooth) && samples.All(OpChecks.IsFlat) ? "flat: no gradient flows" : null;
    }

    private static bool Repeats(Op op, OpSample s) => s.Broadcasts || op.Sharding == "a..., a... -> a...";

    private static OpCell Run(OpSample[] samples, OpCheckKind check, DType dtype, Func<OpSample, string?> test)
    {
        foreach (var sample in samples)
        {
            string? fault;
            try
            {
                fault = test(sample);
            }
            catch (Exception e)
            {
                // A matrix names what does not run; it must not end there.
                fault = $"{sample.Name}: {e.GetType().Name}: {e.Message}";
            }

            if (fault is not null) return new OpCell(check, dtype, OpCellState.Gap, fault);
        }

        return new OpCell(check, dtype, OpCellState.Pass, "");
    }
}
