using Convoy.Shared;

namespace Convoy.Worker.Collectives;

/// <summary>
/// Which buckets are complete while backward reports one finished parameter after the other. Parameters do not tile
/// buckets: one may span several, several may share one; padding belongs to nobody and is always ready.
/// </summary>
internal sealed class BucketTracker
{
    private readonly int[] _parametersOf;   // per bucket
    private readonly int[] _left;
    private readonly (int From, int End)[] _bucketsOf; // per parameter
    private readonly bool[] _ready;

    public BucketTracker(ExchangeLayout layout, IReadOnlyList<(long Offset, long Length)> parameters)
    {
        _parametersOf = new int[layout.Buckets];
        _left = new int[layout.Buckets];
        _ready = new bool[parameters.Count];
        _bucketsOf = new (int, int)[parameters.Count];
        for (var p = 0; p < parameters.Count; p++) _bucketsOf[p] = Touched(layout, parameters[p]);
        Begin([]);
    }

    /// <summary>A new step; appends the buckets that hold padding only.</summary>
    public void Begin(List<int> complete)
    {
        Array.Copy(_parametersOf, _left, _left.Length);
        Array.Clear(_ready);
        for (var b = 0; b < _left.Length; b++)
            if (_left[b] == 0) complete.Add(b);
    }

    /// <summary>Marks a parameter; appends the buckets that it completes.</summary>
    public void ParameterReady(int parameter, List<int> complete)
    {
        Invariant.Check(!_ready[parameter], "XCH-2 a parameter is ready once in a step");
        _ready[parameter] = true;
        for (var b = _bucketsOf[parameter].From; b < _bucketsOf[parameter].End; b++)
            if (--_left[b] == 0) complete.Add(b);
    }

    private (int From, int End) Touched(ExchangeLayout layout, (long Offset, long Length) parameter)
    {
        var (from, end) = (-1, -1);
        for (var b = 0; b < layout.Buckets && parameter.Length > 0; b++)
        {
            var range = layout.BucketRange(b);
            if (parameter.Offset >= range.End || parameter.Offset + parameter.Length <= range.From) continue;
            if (from < 0) from = b;
            end = b + 1;
            _parametersOf[b]++;
        }

        return from < 0 ? (0, 0) : (from, end);
    }
}
