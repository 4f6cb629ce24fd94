using Convoy.Autodiff.Optim.Gradients;
using Convoy.Shared.Random;

namespace Convoy.Autodiff.Tests.Optim.Gradients;

internal static class Sets
{
    public static GradientSet Of(params double[][] gradients) => At(0, gradients);

    public static GradientSet At(long step, params double[][] gradients) =>
        new([.. gradients.Select((g, i) => new GradientPart($"p{i}", g, new double[g.Length], i))], step);

    /// <summary>Two parameters of normal numbers, other ones in each step.</summary>
    public static GradientSet Normal(long step, double size = 1)
    {
        double[] Draw(ulong stream, int count)
        {
            var random = new RandomStream(3, RandomPurpose.Mask, stream);
            return [.. Enumerable.Range(0, count).Select(i => size * random.Normal(i))];
        }

        return At(step, Draw((ulong)(2 * step), 12), Draw((ulong)(2 * step) + 1, 5));
    }

    public static double[] Numbers(GradientSet set) => [.. set.Parts.SelectMany(p => p.Gradient.ToArray())];
}
