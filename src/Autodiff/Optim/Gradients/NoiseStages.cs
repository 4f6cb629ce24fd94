using Convoy.Shared.Numerics;
using System.Text;
using Convoy.Shared.Random;

namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>
/// GP-04: noise that is a function of seed, step, name of the parameter and element, so that any worker draws the same
/// and no other parameter moves it. Two stages of one pipeline take two seeds.
/// </summary>
public abstract class NoiseStage(ulong seed) : GradientStage
{
    /// <inheritdoc/>
    public sealed override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
            Disturb(part, gradients.Step, new RandomStream(
                seed ^ Hash(part.Name), RandomPurpose.GradientNoise, (ulong)gradients.Step));
    }

    private protected abstract void Disturb(GradientPart part, long step, RandomStream random);

    // FNV-1a: the hash of a string type differs from process to process.
    private static ulong Hash(string name)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in Encoding.UTF8.GetBytes(name)) hash = unchecked((hash ^ b) * 1099511628211UL);
        return hash;
    }
}

/// <summary>Normal noise of a deviation that may depend on parameter and step.</summary>
public sealed class AddNoise : NoiseStage
{
    private readonly Func<GradientPart, long, double> _deviationOf;

    /// <summary>Any rule for the deviation.</summary>
    /// <param name="deviationOf">By parameter and step.</param>
    /// <param name="seed">Of the noise.</param>
    public AddNoise(Func<GradientPart, long, double> deviationOf, ulong seed) : base(seed) =>
        _deviationOf = deviationOf;

    /// <summary>The variance is eta / (1 + step)^decay (Neelakantan and others 2015).</summary>
    /// <exception cref="ArgumentException">eta is below 0 or not finite.</exception>
    public AddNoise(double eta, ulong seed, double decay = 0.55)
        : this(Falling(AtLeastZero(eta, "the variance of noise"), decay), seed)
    {
    }

    private static Func<GradientPart, long, double> Falling(double eta, double decay) =>
        (_, step) => Math.Sqrt(eta / PortableMath.Pow(1 + step, decay));

    /// <summary>A deviation for each parameter.</summary>
    public static AddNoise ByLayer(double otherwise, IReadOnlyDictionary<string, double> deviationOf, ulong seed) =>
        new((part, _) => deviationOf.TryGetValue(part.Name, out var own) ? own : otherwise, seed);

    /// <summary>A share of the root mean square of the gradient it disturbs.</summary>
    public static AddNoise Adaptive(double share, ulong seed) =>
        new((part, _) => part.Count == 0 ? 0 : share * part.Norm / Math.Sqrt(part.Gradient.Length), seed);

    /// <inheritdoc/>
    public override string Name => "noise";

    private protected override void Disturb(GradientPart part, long step, RandomStream random)
    {
        var normal = new Normal(_deviationOf(part, step), random);
        part.Gradient.Change(ref normal);
    }

    private readonly struct Normal(double deviation, RandomStream random) : IElementChange
    {
        public double Of(int i, double value) => value + (deviation * random.Normal(i));
    }
}

/// <summary>Uniform noise between -width and width.</summary>
/// <exception cref="ArgumentException">The width is below 0 or not finite.</exception>
public sealed class UniformNoise(double width, ulong seed) : NoiseStage(seed)
{
    private readonly double _width = AtLeastZero(width, "the width of noise");

    /// <inheritdoc/>
    public override string Name => "uniform noise";

    private protected override void Disturb(GradientPart part, long step, RandomStream random)
    {
        var uniform = new Uniform(_width, random);
        part.Gradient.Change(ref uniform);
    }

    private readonly struct Uniform(double width, RandomStream random) : IElementChange
    {
        public double Of(int i, double value) => value + (width * ((2 * random.UniformDouble(i)) - 1));
    }
}

/// <summary>Elements are 0 with a probability, the others divided by what is left of 1: the mean stays.</summary>
public sealed class DropGradients : NoiseStage
{
    private readonly double _rate;

    /// <summary>Sets this share of the elements to 0 and divides the others by 1 - rate.</summary>
    /// <param name="rate">0 to below 1.</param>
    /// <param name="seed">Of the draw.</param>
    public DropGradients(double rate, ulong seed) : base(seed)
    {
        if (rate is not (>= 0 and < 1)) throw new ArgumentException($"a rate is 0 to below 1, not {rate}");
        _rate = rate;
    }

    /// <inheritdoc/>
    public override string Name => "drop";

    private protected override void Disturb(GradientPart part, long step, RandomStream random)
    {
        var kept = 1 / (1 - _rate);
        for (var i = 0; i < part.Count; i++) part.ScaleAt(i, random.UniformDouble(i) < _rate ? 0 : kept);
    }
}

/// <summary>Salt and pepper: with a probability an element becomes +size or -size, as often one as the other.</summary>
public sealed class SaltNoise : NoiseStage
{
    private readonly double _rate;
    private readonly double _size;

    /// <summary>Half of the elements that are hit become this size, half its negative.</summary>
    /// <exception cref="ArgumentException">The rate is outside 0 to 1.</exception>
    /// <param name="rate">0 to 1.</param>
    /// <param name="size">Of the elements that are hit.</param>
    /// <param name="seed">Of the draw.</param>
    public SaltNoise(double rate, double size, ulong seed) : base(seed)
    {
        if (rate is not (>= 0 and <= 1)) throw new ArgumentException($"a rate is 0 to 1, not {rate}");
        (_rate, _size) = (rate, size);
    }

    /// <inheritdoc/>
    public override string Name => "salt";

    private protected override void Disturb(GradientPart part, long step, RandomStream random)
    {
        var g = part.Gradient;
        for (var i = 0; i < g.Length; i++)
        {
            // One draw says both: the lower half of the hits is salt, the upper one pepper.
            var draw = random.UniformDouble(i);
            if (draw < _rate) g[i] = draw < _rate / 2 ? _size : -_size;
        }
    }
}
