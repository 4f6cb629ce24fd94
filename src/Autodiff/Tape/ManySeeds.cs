using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// One reverse pass for many seeds, which lie along a dimension that the rules do not see (<see cref="BatchBuilder"/>):
/// a Jacobian of m rows runs each rule once, on m gradients, in place of m times on one.
/// </summary>
internal static class ManySeeds
{
    // Bytes of gradients of one value that are there at a time: past the caches there is nothing more to win.
    private const long BytesMax = 8 << 20;

    /// <summary>
    /// Whether a tape can be passed so. Rules of a user, and hooks, are written for gradients that are variables: they
    /// get them one at a time.
    /// </summary>
    public static bool Suit(IReadOnlyList<Application> tape)
    {
        foreach (var application in tape)
        {
            if (OpTable.Find(application.Op.Name) != application.Op) return false;
            if (GradientOverride.IsUsedFor(application.Op)) return false;
            if (application.Inputs.Concat(application.Outputs).Any(v => v is Variable { HasHooks: true })) return false;
        }

        return tape.Count > 0;
    }

    /// <summary>Seeds of one pass, for a result of so many elements: at least 1, and what keeps the largest gradient
    /// small.</summary>
    public static int AtOnce(IReadOnlyList<Application> tape, long seeds)
    {
        var largest = tape.Max(a => a.Inputs.Concat(a.Outputs).Max(v => ((Variable)v).Data.Count));
        return (int)Math.Clamp(BytesMax / (Math.Max(largest, 1) * sizeof(double)), 1, Math.Max(seeds, 1));
    }

    /// <summary>Gradients of x, one below the other; null: y does not depend on x.</summary>
    /// <param name="tape">All that y was computed by.</param>
    /// <param name="seeds">Gradients of y, one below the other.</param>
    public static Tensor? Gradients(IReadOnlyList<Application> tape, Variable y, Variable x, Tensor seeds)
    {
        using var scope = GradientMode.Off();
        var builder = new BatchBuilder(EagerBuilder.Instance, seeds.Shape[0]);
        var reverse = new ReverseMode(builder);
        reverse.Run(tape, [(y, builder.Batch(new Variable(seeds)))], [x]);
        return reverse.GradientOf(x) is { } found ? ((Variable)builder.Rows(found)).Data : null;
    }
}
