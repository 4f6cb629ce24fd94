namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>GP-07: pipelines for common needs, by name.</summary>
public static class GradientPresets
{
    private static readonly (string Name, Func<ulong, GradientStage[]> Make)[] All =
    [
        // What most trainings need: no NaN gets into the weights, and one factor for all.
        ("standard", _ => [new CleanGradients(), new ClipByGlobalNorm(1)]),
        // A bound that nobody has to choose.
        ("automatic", _ => [new CleanGradients(), new ClipByGlobalNorm(new PercentileBound(10))]),
        // Data with outliers: single elements first, then steps that are unlike those before them.
        ("robust", _ => [new CleanGradients(), new ClipOutliers(4), new ClipByGlobalNorm(new HistoryBound())]),
        // Layers of unlike sizes: each follows its own norms.
        ("layers", _ => [new CleanGradients(), new ClipEachLayer(_ => new VarianceBound()), new ClipByGlobalNorm(10)]),
        // Networks without normalization.
        ("units", _ => [new CleanGradients(), new ClipByWeightNorm()]),
        // Out of flat places: noise that dies away.
        ("exploring", seed => [new CleanGradients(), new ClipByGlobalNorm(1), new AddNoise(0.01, seed)]),
    ];

    /// <summary>Of all presets, in their order.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(p => p.Name)];

    /// <summary>A new pipeline; the seed is that of its noise.</summary>
    public static GradientPipeline Create(string name, ulong seed = 0)
    {
        foreach (var preset in All)
            if (preset.Name == name) return new GradientPipeline(preset.Make(seed));
        throw new ArgumentException($"\"{name}\" is none of the gradient presets {string.Join(", ", Names)}");
    }
}
