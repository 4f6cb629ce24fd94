namespace Convoy.Autodiff.Models;

/// <summary>
/// What a data set offers a model: the shape of one sample (features; channels, height, width; or tokens of a context)
/// and the number of classes (symbols, for text).
/// </summary>
public sealed record DataShape(IReadOnlyList<int> SampleShape, int Classes)
{
    public int Features => SampleShape.Aggregate(1, (a, b) => checked(a * b));
    public string Text => string.Join("x", SampleShape);
}
