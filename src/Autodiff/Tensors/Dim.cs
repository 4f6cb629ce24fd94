using System.Globalization;

namespace Convoy.Autodiff.Tensors;

/// <summary>
/// One dimension of a graph value: a number, or a number times the rows of the batch (N samples give Size·N). A value
/// has at most one dimension of the second sort; that is all the symbolic shape a training step needs.
/// </summary>
public readonly record struct Dim(int Size, bool PerSample = false)
{
    /// <summary>The batch itself: one element per sample.</summary>
    public static readonly Dim Batch = new(1, true);

    /// <summary>The size for a batch of so many samples.</summary>
    public int At(int rows) => PerSample ? checked(Size * rows) : Size;

    /// <summary>A fixed size.</summary>
    public static implicit operator Dim(int size) => new(size);

    /// <inheritdoc/>
    public override string ToString() =>
        !PerSample ? Size.ToString(CultureInfo.InvariantCulture)
        : Size == 1 ? "N"
        : string.Create(CultureInfo.InvariantCulture, $"{Size}N");
}
