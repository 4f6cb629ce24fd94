using System.Security.Cryptography;

namespace Convoy.Worker.Data;

/// <summary>The samples of one set of files in the order of the files.</summary>
internal abstract class SampleSource : IDisposable
{
    public abstract long Count { get; }

    public abstract IReadOnlyList<int> SampleShape { get; }

    public virtual bool IsTokens => false;

    /// <summary>Adds everything that decides the samples.</summary>
    public abstract void AddTo(IncrementalHash hash);

    /// <summary>Writes one sample of numbers and returns its class.</summary>
    public virtual int Read(long sample, Span<float> x) =>
        throw new NotSupportedException("text has tokens, not numbers");

    /// <summary>Writes the tokens of one sample and those that follow each.</summary>
    public virtual void ReadTokens(long sample, Span<int> x, Span<int> y) =>
        throw new NotSupportedException("only text has tokens");

    public abstract void Dispose();
}

/// <summary>Sources one after the other; they have the same shape.</summary>
internal sealed class JoinedSource : SampleSource
{
    private readonly IReadOnlyList<SampleSource> _parts;
    private readonly long[] _ends;

    public JoinedSource(IReadOnlyList<SampleSource> parts)
    {
        _parts = parts;
        _ends = new long[parts.Count];
        for (var i = 0; i < parts.Count; i++) _ends[i] = parts[i].Count + (i == 0 ? 0 : _ends[i - 1]);
    }

    public override long Count => _ends[^1];

    public override IReadOnlyList<int> SampleShape => _parts[0].SampleShape;

    public override void AddTo(IncrementalHash hash)
    {
        foreach (var part in _parts) part.AddTo(hash);
    }

    public override int Read(long sample, Span<float> x)
    {
        var index = Array.BinarySearch(_ends, sample + 1);
        if (index < 0) index = ~index;
        return _parts[index].Read(sample - (index == 0 ? 0 : _ends[index - 1]), x);
    }

    public override void Dispose()
    {
        foreach (var part in _parts) part.Dispose();
    }
}
