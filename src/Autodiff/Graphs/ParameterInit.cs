using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Graphs;

/// <summary>How a parameter gets its first values; a function of (seed, parameter, element) and nothing else.</summary>
public sealed record ParameterInit(string Kind, double Value)
{
    /// <summary>All 0, as biases start.</summary>
    public static readonly ParameterInit Zeros = new("constant", 0);
    /// <summary>All 1, as gains start.</summary>
    public static readonly ParameterInit Ones = new("constant", 1);

    /// <summary>All of one value.</summary>
    public static ParameterInit Constant(double value) => new("constant", value);
    /// <summary>Normal with mean 0 and this standard deviation.</summary>
    public static ParameterInit Normal(double deviation) => new("normal", deviation);
    /// <summary>Even in [-bound, bound].</summary>
    public static ParameterInit Uniform(double bound) => new("uniform", bound);
    /// <summary>Keeps the size of activations through layers that end in a rectifier.</summary>
    public static ParameterInit Kaiming(int fanIn) => Uniform(Math.Sqrt(6.0 / fanIn));

    internal static bool IsKnown(string kind) => kind is "constant" or "normal" or "uniform";

    internal Attributes Into(Attributes attributes) => attributes.With("init", Kind).With("value", Value);

    internal static ParameterInit From(Attributes attributes) =>
        new(attributes.Text("init", "constant"), attributes.Number("value"));
}
