namespace Convoy.Autodiff.Models;

/// <summary>
/// What a data set offers a model: the shape of one sample (features; channels, height, width; or tokens of a context)
/// and the number of classes (symbols, for text).
/// </summary>
public sealed record DataShape(IReadOnlyList<int> SampleShape, int Classes)
{
    /// <summary>Numbers of one sample.</summary>
    public int Features => SampleShape.Aggregate(1, (a, b) => checked(a * b));
    /// <summary>Such as 3x32x32.</summary>
    public string Text => string.Join("x", SampleShape);
}
