using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// A setting of windows (kernel, stride, padding, dilation): one number for every dimension, or one for each, in the
/// order of the dimensions: <c>stride: 2</c>, <c>padding: [1, 0]</c>. Not given, it is what the operator says.
/// </summary>
[CollectionBuilder(typeof(PerAxis), nameof(Of))]
public readonly struct PerAxis
{
    private readonly ImmutableArray<int> _numbers;

    private PerAxis(ImmutableArray<int> numbers)
    {
        _numbers = numbers;
    }

    /// <summary>One number for all dimensions.</summary>
    public static implicit operator PerAxis(int number) => new([number]);

    /// <summary>One number for each dimension, or one for all.</summary>
    public static PerAxis Of(ReadOnlySpan<int> numbers) => new([.. numbers]);

    /// <summary>The numbers, none where nothing was given.</summary>
    public ImmutableArray<int>.Enumerator GetEnumerator() => Numbers.GetEnumerator();

    private ImmutableArray<int> Numbers => _numbers.IsDefault ? [] : _numbers;

    /// <summary>These and the setting under its name; one number stays one, so that windows of equal sides are known
    /// as such.</summary>
    internal Attributes To(Attributes attributes, string name) => Numbers.Length switch
    {
        0 => attributes,
        1 => attributes.With(name, Numbers[0]),
        _ => attributes.With(name, Numbers),
    };
}
