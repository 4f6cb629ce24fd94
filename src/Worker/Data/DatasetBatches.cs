using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Models;

namespace Convoy.Worker.Data;

/// <summary>Joins data with programs: inputs are "x" (numbers, or tokens) and "y" (a class, or tokens).</summary>
public static class DatasetBatches
{
    /// <summary>Fills the rows of a batch with samples and sets their number.</summary>
    public static void Read(this IDataset data, ReadOnlySpan<long> samples, BatchBuffer into)
    {
        into.Rows = samples.Length;
        if (data.Info.IsTokens) data.ReadTokens(samples, into.Ints("x"), into.Ints("y"));
        else data.Read(samples, into.Floats("x"), into.Ints("y"));
    }

    /// <summary>What a model is built against.</summary>
    public static DataShape ToDataShape(this SampleInfo info) => new(info.SampleShape, info.Classes);
}
