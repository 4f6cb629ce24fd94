using Convoy.Autodiff.Execution;
using Convoy.Shared.Tensors;
using Convoy.Worker.Data;

namespace Convoy.Worker.Tests.Data;

// EXE-04: samples become the rows of a batch.
public sealed class DatasetBatchesTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Samples_go_to_the_rows_of_a_batch_in_the_order_asked()
    {
        _folder.Write("a.csv", "f,g,c\n1,2,0\n3,4,1\n5,6,2\n");
        using var pair = Dataset.Open(_folder.Job("csv", ["a.csv"]));
        Assert.Equal([2], pair.Train.Info.ToDataShape().SampleShape);
        var batch = new BatchBuffer([new("x", DType.Float32, new Shape(2)), new("y", DType.Int32, Shape.Scalar)], 3);
        pair.Train.Read([2, 0], batch);
        Assert.Equal(2, batch.Rows);
        Assert.Equal([5, 6, 1, 2], batch.Floats("x")[..4]);
        Assert.Equal([2, 0], batch.Ints("y")[..2]);
    }

    [Fact]
    public void Text_fills_both_inputs_with_tokens()
    {
        _folder.Write("a.txt", "abcde");
        using var pair = Dataset.Open(_folder.Text(2, "a.txt"));
        var batch = new BatchBuffer([new("x", DType.Int32, new Shape(2)), new("y", DType.Int32, new Shape(2))], 1);
        pair.Train.Read([1], batch);
        Assert.Equal([(int)'c', 'd'], batch.Ints("x"));
        Assert.Equal([(int)'d', 'e'], batch.Ints("y"));
    }
}
