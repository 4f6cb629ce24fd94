using Convoy.Autodiff.Tensors;
using Convoy.Shared;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>An input of a program: its name, element type and the shape of one sample.</summary>
public sealed record InputSpec(string Name, DType DType, Shape SampleShape)
{
    /// <summary>The product of the sample's sizes.</summary>
    public int ElementsPerSample => checked((int)SampleShape.Count);
}

/// <summary>
/// Memory for the samples of one call, one pinned buffer per input. Fill the first <see cref="Rows"/> rows; several
/// buffers may be filled and run in turn.
/// </summary>
public sealed class BatchBuffer
{
    private readonly Storage[] _storages;

    /// <summary>Reserves pinned memory for so many samples of each input.</summary>
    public BatchBuffer(IReadOnlyList<InputSpec> inputs, int rowsMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rowsMax);
        (Inputs, RowsMax) = (inputs, rowsMax);
        _storages =
            [.. inputs.Select(i => Storage.AllocatePinned((long)rowsMax * i.ElementsPerSample * i.DType.Size()))];
    }

    /// <summary>The inputs of the program, in its order.</summary>
    public IReadOnlyList<InputSpec> Inputs { get; }
    /// <summary>Samples that fit.</summary>
    public int RowsMax { get; }

    /// <summary>Rows of the next call. Setting it begins them at the first row.</summary>
    public int Rows
    {
        get;
        set
        {
            Invariant.Check(value >= 0 && value <= RowsMax, "EX-2 a batch has between 0 and RowsMax rows");
            (FirstRow, field) = (0, value);
        }
    }

    /// <summary>
    /// Position in the epoch of the buffer's first row; the others follow it. Random numbers count by it.
    /// </summary>
    public long FirstPosition { get; set; }

    /// <summary>Row of the buffer that the next call begins at.</summary>
    public int FirstRow { get; private set; }

    /// <summary>The next call takes <paramref name="rows"/> rows from <paramref name="first"/> on.</summary>
    public void Window(int first, int rows)
    {
        Invariant.Check(first >= 0 && first <= RowsMax - rows, "EX-2 a batch has between 0 and RowsMax rows");
        (Rows, FirstRow) = (rows, first);
    }

    /// <summary>The whole buffer (RowsMax rows) of an input of numbers.</summary>
    public Span<float> Floats(string name) => Of<float>(name);

    /// <summary>The whole buffer (RowsMax rows) of an input of indices, classes or tokens.</summary>
    public Span<int> Ints(string name) => Of<int>(name);

    internal Storage StorageOf(int input) => _storages[input];

    private Span<T> Of<T>(string name) where T : unmanaged
    {
        for (var i = 0; i < Inputs.Count; i++)
        {
            if (Inputs[i].Name != name) continue;
            if (Inputs[i].DType != DTypes.Of<T>())
                throw new ArgumentException($"input {name} holds {Inputs[i].DType}, not {typeof(T).Name}");
            return _storages[i].Span<T>(0, (long)RowsMax * Inputs[i].ElementsPerSample);
        }

        throw new ArgumentException($"there is no input {name}");
    }
}
