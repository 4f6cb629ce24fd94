namespace Convoy.Kernels;

/// <summary>What a product applies to each element after the bias.</summary>
public enum Activation
{
    None = 0,
    Relu = 1,
    /// <summary>The exact form, x·Φ(x).</summary>
    Gelu = 2,
    Tanh = 3,
    Sigmoid = 4,
}
