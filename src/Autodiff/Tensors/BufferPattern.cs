namespace Convoy.Autodiff.Tensors;

/// <summary>Buffers of one class of sizes: from half of <paramref name="UpToBytes"/> on.</summary>
/// <param name="UpToBytes">A power of two.</param>
/// <param name="Rents">How many were rented.</param>
/// <param name="Sizes">How many different sizes they had.</param>
public readonly record struct BufferSizeClass(long UpToBytes, long Rents, int Sizes);

/// <summary>How a program used a <see cref="BufferPool"/>, and what would suit it.</summary>
/// <param name="Rents">Buffers that were rented.</param>
/// <param name="RepeatedShare">Share of the rents whose size had been rented before, 0 to 1.</param>
/// <param name="LargestBytes">The largest buffer.</param>
/// <param name="ScopeBytesMax">Most bytes that one scope rented.</param>
/// <param name="Scopes">Scopes that ended.</param>
/// <param name="Kept">Buffers that outlived their scope.</param>
/// <param name="Classes">By size, ascending.</param>
/// <param name="Advice">The strategy that suits the pattern.</param>
/// <param name="Reason">Why, in one line.</param>
public sealed record BufferPattern(
    long Rents, double RepeatedShare, long LargestBytes, long ScopeBytesMax, long Scopes, long Kept,
    IReadOnlyList<BufferSizeClass> Classes, BufferStrategy Advice, string Reason);

/// <summary>Counts what a pool is asked for. Called under the pool's lock.</summary>
internal sealed class BufferPatternCounter
{
    // Sizes beyond are counted, not told apart: a bound for programs whose sizes never repeat.
    private const int SizesMax = 65_536;
    private const double Often = 0.5;
    private readonly SortedDictionary<long, long> _rents = [];
    private long _beyond;
    private long _repeated;
    private long _scopeBytesMax;
    private long _scopes;
    private long _kept;

    public void Rented(long bytes)
    {
        if (_rents.TryGetValue(bytes, out var before)) (_rents[bytes], _repeated) = (before + 1, _repeated + 1);
        else if (_rents.Count < SizesMax) _rents.Add(bytes, 1);
        else _beyond++;
    }

    public void KeptOne() => _kept++;

    public void ScopeEnded(long bytes)
    {
        _scopes++;
        _scopeBytesMax = Math.Max(_scopeBytesMax, bytes);
    }

    public BufferPattern Analyze(BufferOptions options)
    {
        var rents = _rents.Values.Sum() + _beyond;
        var repeated = rents == 0 ? 0 : (double)_repeated / rents;
        var largest = _rents.Count == 0 ? 0 : _rents.Keys.Last();
        var classes = _rents.GroupBy(r => ClassOf(r.Key))
            .Select(g => new BufferSizeClass(g.Key, g.Sum(r => r.Value), g.Count())).ToList();
        var (advice, reason) = Advise(options, rents, repeated, largest);
        return new BufferPattern(
            rents, repeated, largest, _scopeBytesMax, _scopes, _kept, classes, advice, reason);
    }

    private (BufferStrategy, string) Advise(BufferOptions options, long rents, double repeated, long largest)
    {
        if (rents == 0) return (options.Strategy, "nothing was rented yet");
        if (_scopes > 1 && _kept == 0 && _scopeBytesMax <= options.StackBytes)
            return (BufferStrategy.Stack,
                $"scopes end together and take at most {_scopeBytesMax} bytes, which one block of {options.StackBytes} holds");
        if (largest >= options.DirectFromBytes && repeated < Often)
            return (BufferStrategy.Direct,
                $"{1 - repeated:P0} of the sizes never came again, up to {largest} bytes: kept, they would only wait");
        if (largest >= options.HeldBytesMax)
            return (BufferStrategy.Hybrid, $"buffers up to {largest} bytes would fill the pool; small ones repeat");
        return repeated >= Often
            ? (BufferStrategy.Pooled, $"{repeated:P0} of the rents have a size that came before")
            : (BufferStrategy.Hybrid, $"only {repeated:P0} of the rents have a size that came before");
    }

    private static long ClassOf(long bytes)
    {
        var upTo = 1L;
        while (upTo < bytes) upTo <<= 1;
        return upTo;
    }
}
