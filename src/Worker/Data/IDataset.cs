namespace Convoy.Worker.Data;

/// <summary>What a sample looks like.</summary>
/// <param name="SampleShape">Sizes of one sample of x: [64], [28, 28], or [context] for text.</param>
/// <param name="Classes">Classes of y, or the vocabulary of text; every label of the data was checked against
/// it.</param>
/// <param name="IsTokens">Text: x and y are rows of tokens. Else x is numbers and y one class.</param>
public sealed record SampleInfo(IReadOnlyList<int> SampleShape, int Classes, bool IsTokens)
{
    /// <summary>Elements of one sample of x.</summary>
    public int Length => SampleShape.Aggregate(1, (product, size) => checked(product * size));
}

/// <summary>What is known of a job's data before it is submitted.</summary>
public sealed record DataProbe(long Samples, long TestSamples, SampleInfo Info, byte[] Sha256);

/// <summary>
/// Samples by number. The files behind it are mapped into memory or, where they are small, held once; reading gathers
/// the asked samples and nothing else. Reads may run on several threads.
/// </summary>
public interface IDataset : IDisposable
{
    long Count { get; }

    SampleInfo Info { get; }

    /// <summary>Numbers: sample i of the list goes to row i of x and its class to y[i].</summary>
    void Read(ReadOnlySpan<long> samples, Span<float> x, Span<int> y);

    /// <summary>Text: tokens [0, context) of the window go to a row of x, tokens [1, context + 1) to the same row of
    /// y.</summary>
    void ReadTokens(ReadOnlySpan<long> samples, Span<int> x, Span<int> y);
}

/// <summary>The data of a job.</summary>
/// <param name="Train">Training samples.</param>
/// <param name="Test">Test samples, or null.</param>
/// <param name="Sha256">Hash of the content as it is read: equal hashes mean equal samples.</param>
public sealed record DatasetPair(IDataset Train, IDataset? Test, byte[] Sha256) : IDisposable
{
    public void Dispose()
    {
        Train.Dispose();
        Test?.Dispose();
    }
}
