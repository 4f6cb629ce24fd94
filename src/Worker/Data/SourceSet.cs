using Convoy.Shared;
using Convoy.Shared.Random;

namespace Convoy.Worker.Data;

/// <summary>A source seen as a dataset.</summary>
internal class SourceSet(SampleSource source, SampleInfo info) : IDataset
{
    public virtual long Count => source.Count;

    public SampleInfo Info => info;

    public void Read(ReadOnlySpan<long> samples, Span<float> x, Span<int> y)
    {
        var length = info.Length;
        for (var row = 0; row < samples.Length; row++)
            y[row] = source.Read(Locate(samples[row]), x.Slice(row * length, length));
    }

    public void ReadTokens(ReadOnlySpan<long> samples, Span<int> x, Span<int> y)
    {
        var length = info.Length;
        for (var row = 0; row < samples.Length; row++)
            source.ReadTokens(Locate(samples[row]), x.Slice(row * length, length), y.Slice(row * length, length));
    }

    protected virtual long Locate(long sample)
    {
        Invariant.Check((ulong)sample < (ulong)Count, "DATA-3 a sample lies inside its set");
        return sample;
    }

    public virtual void Dispose()
    {
        source.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>Places [first, first + count) of a permutation of a source.</summary>
internal sealed class SplitSet(SampleSource source, SampleInfo info, SampleOrder order, long first, long count,
    bool ownsSource)
    : SourceSet(source, info)
{
    public override long Count => count;

    protected override long Locate(long sample) => order.At(0, first + base.Locate(sample));

    public override void Dispose()
    {
        if (ownsSource) base.Dispose();
    }
}
