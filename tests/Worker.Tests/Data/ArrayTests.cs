using Convoy.Shared.Jobs;
using Convoy.Worker.Data;

namespace Convoy.Worker.Tests.Data;

// EXE-05: IDX and NPY are read piece by piece, whatever is wrong with them.
public sealed class ArrayTests : IDisposable
{
    private readonly DataFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static readonly byte[] Images = DataFolder.Idx([2, 2, 2], [0, 255, 51, 102, 1, 2, 3, 4]);
    private static readonly byte[] Labels = DataFolder.Idx([2], [2, 0]);

    private JobSpec Idx(byte[] images, byte[] labels)
    {
        _folder.Write("x", images);
        _folder.Write("y", labels);
        return _folder.Job("idx", ["x"], ["y"]);
    }

    private JobSpec Npy(byte[] samples, byte[] labels)
    {
        var job = Idx(samples, labels);
        return job with { Data = job.Data with { Format = "npy" } };
    }

    private static byte[] Bytes<T>(params T[] values) where T : unmanaged =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    [Fact]
    public void Idx_plain_and_gzip_give_the_same_samples()
    {
        var job = Idx(Images, Labels);
        job = job with { Data = job.Data with { Scale = 1 / 255.0 } };
        using var plain = Dataset.Open(job);
        Assert.Equal([2, 2], plain.Train.Info.SampleShape);
        Assert.Equal([0, 1, 0.2f, 0.4f, 1 / 255f, 2 / 255f, 3 / 255f, 4 / 255f], DataFolder.ReadAll(plain.Train).X);
        Assert.Equal([2, 0], DataFolder.ReadAll(plain.Train).Y);
        _folder.Write("x.gz", DataFolder.Gzip(Images));
        _folder.Write("y.gz", DataFolder.Gzip(Labels));
        var gzip = job with
        {
            Data = job.Data with
            {
                Path = [_folder.PathOf("x.gz")],
                Labels = [_folder.PathOf("y.gz")]
            }
        };
        using var packed = Dataset.Open(gzip);
        using var cached = Dataset.Open(gzip, _folder.Cache);
        Assert.Equal(DataFolder.ReadAll(plain.Train).X, DataFolder.ReadAll(packed.Train).X);
        Assert.Equal(plain.Sha256, packed.Sha256);
        Assert.Equal(plain.Sha256, cached.Sha256);
        Assert.Equal(2, Directory.GetFiles(_folder.PathOf(".cache")).Length);
    }

    [Fact]
    public void Two_files_of_samples_are_joined()
    {
        Idx(Images, Labels);
        _folder.Write("x2", DataFolder.Idx([1, 2, 2], [9, 9, 9, 9]));
        _folder.Write("y2", DataFolder.Idx([1], [1]));
        using var pair = Dataset.Open(_folder.Job("idx", ["x2", "x", "x2"], ["y2", "y", "y2"]));
        Assert.Equal([1, 2, 0, 1], DataFolder.ReadAll(pair.Train).Y);
        _folder.Write("x3", DataFolder.Idx([1, 4], [9, 9, 9, 9]));
        Assert.Contains("x3: its samples are [4]", _folder.Refusal(_folder.Job("idx", ["x", "x3"], ["y", "y2"])),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Every_cut_of_an_idx_file_is_refused_plain_or_gzip()
    {
        for (var length = 1; length < Images.Length; length++)
            Assert.StartsWith("x: byte ", _folder.Refusal(Idx(Images[..length], Labels)), StringComparison.Ordinal);
        var packed = DataFolder.Gzip(Images);
        for (var length = 2; length < packed.Length; length++)
            Assert.StartsWith("x: ", _folder.Refusal(Idx(packed[..length], Labels)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_idx_file_is_refused_by_its_byte()
    {
        Assert.Equal("x: byte 23: the file is truncated: [2, 2, 2] needs 8 bytes after the header of 16, 7 are there",
            _folder.Refusal(Idx(Images[..^1], Labels)));
        Assert.Equal("x: byte 24: 1 bytes follow the array [2, 2, 2]; the file is not what its header says",
            _folder.Refusal(Idx([.. Images, 0], Labels)));
        Assert.Equal("x: byte 0: this is not IDX: it begins with 25504446, not with 0000",
            _folder.Refusal(Idx([.. "%PDF-1.4"u8], Labels)));
        Assert.Equal("x: byte 2: element type 0x07 is not one of IDX",
            _folder.Refusal(Idx(DataFolder.Idx([1], [1], type: 7), Labels)));
        Assert.Equal("x: byte 3: 0 dimensions; 1 to 8 are read", _folder.Refusal(Idx(DataFolder.Idx([], [1]), Labels)));
        Assert.Equal("x: byte 0: the shape [4294967295, 4294967295, 4294967295] is impossible",
            _folder.Refusal(Idx(DataFolder.Idx([-1, -1, -1], [1]), Labels)));
        Assert.Equal("x: byte 0: the array [0, 2] is empty", _folder.Refusal(Idx(DataFolder.Idx([0, 2], []), Labels)));
        Assert.Equal($"y: 1 labels for the 2 samples of {_folder.PathOf("x")}",
            _folder.Refusal(Idx(Images, DataFolder.Idx([1], [1]))));
        Assert.Equal("y: labels have one dimension, not 3; are data.path and data.labels swapped?",
            _folder.Refusal(Idx(Images, Images)));
        Assert.Equal("y: byte 9: label 3 of sample 1 is not a whole number from 0 to 2; the model has 3 classes",
            _folder.Refusal(Idx(Images, DataFolder.Idx([2], [2, 3]))));
        Assert.Equal("x: the file is empty; check where it comes from", _folder.Refusal(Idx([], Labels)));
    }

    [Fact]
    public void Damaged_gzip_is_refused()
    {
        var packed = DataFolder.Gzip(Images);
        packed[packed.Length / 2] ^= 0xFF;
        Assert.StartsWith("x: ", _folder.Refusal(Idx(packed, Labels)), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_element_type_of_npy_is_read()
    {
        var y = DataFolder.Npy("<i8", "(2,)", Bytes(2L, 0L));
        foreach (var x in new[]
        {
            DataFolder.Npy("|u1", "(2, 2)", [1, 2, 3, 4]),
            DataFolder.Npy("<i4", "(2, 2)", Bytes(1, 2, 3, 4), major: 2),
            DataFolder.Npy("<i8", "(2, 2)", Bytes(1L, 2, 3, 4)),
            DataFolder.Npy("<f4", "(2, 2)", Bytes(1f, 2, 3, 4)),
            DataFolder.Npy("<f8", "(2,2)", Bytes(1d, 2, 3, 4)),
            DataFolder.Npy(">f4", "(2, 2)", [0x3f, 0x80, 0, 0, 0x40, 0, 0, 0, 0x40, 0x40, 0, 0, 0x40, 0x80, 0, 0]),
        })
        {
            using var pair = Dataset.Open(Npy(x, y));
            Assert.Equal([1, 2, 3, 4], DataFolder.ReadAll(pair.Train).X);
            Assert.Equal([2, 0], DataFolder.ReadAll(pair.Train).Y);
        }
    }

    [Fact]
    public void A_wrong_npy_file_is_refused_by_its_byte()
    {
        var y = DataFolder.Npy("|u1", "(2,)", [2, 0]);
        var good = DataFolder.Npy("<f4", "(2, 2)", Bytes(1f, 2, 3, 4));
        string Refuse(byte[] x) => _folder.Refusal(Npy(x, y));
        for (var length = 1; length < good.Length; length++)
            Assert.StartsWith("x: byte ", Refuse(good[..length]), StringComparison.Ordinal);
        Assert.Contains("this is not NPY", Refuse(Images), StringComparison.Ordinal);
        Assert.Contains("NPY version 9", Refuse(DataFolder.Npy("<f4", "(2, 2)", [], major: 9)),
            StringComparison.Ordinal);
        Assert.Contains("element type '<f2' is not read here", Refuse(DataFolder.Npy("<f2", "(2, 2)", new byte[8])),
            StringComparison.Ordinal);
        Assert.Contains("Fortran order", Refuse(DataFolder.Npy("<f4", "(2, 2)", new byte[16], order: "True")),
            StringComparison.Ordinal);
        Assert.Contains("not the usual", Refuse(DataFolder.Npy("<f4", "(2, -2)", new byte[16])),
            StringComparison.Ordinal);
        Assert.Contains("not the usual", Refuse(DataFolder.Npy("|O", "__import__('os')", new byte[16])),
            StringComparison.Ordinal);
        Assert.Contains("is impossible",
            Refuse(DataFolder.Npy("<f4", "(999999999999999999, 999999999999999999)", new byte[16])),
            StringComparison.Ordinal);
        Assert.Contains("NaN in sample 1 is not a finite number",
            Refuse(DataFolder.Npy("<f4", "(2, 2)", Bytes(1f, 2, float.NaN, 4))), StringComparison.Ordinal);
        Assert.Contains("is not a finite number (float32)",
            Refuse(DataFolder.Npy("<f8", "(2, 2)", Bytes(1d, 2, 1e300, 4))), StringComparison.Ordinal);
        y = DataFolder.Npy("<f4", "(2,)", Bytes(1f, 0.5f));
        Assert.Contains("label 0.5 of sample 1", Refuse(good), StringComparison.Ordinal);
    }
}
