using System.IO.Compression;
using System.Text;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Worker.Data;

namespace Convoy.Worker.Tests.Data;

/// <summary>A folder of data files for one test, and jobs that read them.</summary>
public sealed class DataFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("convoy-data-").FullName;

    /// <summary>A cache that keeps nothing in memory, so tests see the files.</summary>
    internal DataCache Cache => new(Path.Combine(_path, ".cache"), 0);

    public string PathOf(string name) => Path.Combine(_path, name);

    public string Write(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllBytes(PathOf(name), content);
        return PathOf(name);
    }

    public string Write(string name, string content) => Write(name, Encoding.UTF8.GetBytes(content));

    public static byte[] Gzip(byte[] content)
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(content);
        return packed.ToArray();
    }

    /// <summary>An IDX file of bytes.</summary>
    public static byte[] Idx(int[] shape, byte[] data, byte type = 8)
    {
        var header = new List<byte> { 0, 0, type, (byte)shape.Length };
        foreach (var size in shape) header.AddRange(BitConverter.GetBytes(size).Reverse());
        return [.. header, .. data];
    }

    public static byte[] Npy(string descr, string shape, byte[] data, byte major = 1, string order = "False")
    {
        var header = Encoding.ASCII.GetBytes($"{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
        byte[] length = major == 1 ? BitConverter.GetBytes((ushort)(header.Length + 1))
            : BitConverter.GetBytes(header.Length + 1);
        return [0x93, .. "NUMPY"u8, major, 0, .. length, .. header, (byte)'\n', .. data];
    }

    public JobSpec Job(string format, string[] path, string[]? labels = null, int classes = 3) => new()
    {
        Model = new ModelSpec { Layers = [4, classes] },
        Data = new DataSpec
        {
            Format = format, Path = [.. path.Select(PathOf)],
            Labels = [.. (labels ?? []).Select(PathOf)]
        },
    };

    public JobSpec Text(int context, params string[] path) => new()
    {
        Model = new ModelSpec { Family = "gpt", Context = context },
        Data = new DataSpec { Format = "text", Path = [.. path.Select(PathOf)] },
    };

    /// <summary>Everything of a dataset in its order.</summary>
    public static (float[] X, int[] Y) ReadAll(IDataset set)
    {
        var (x, y) = (new float[set.Count * set.Info.Length], new int[set.Count]);
        set.Read([.. Enumerable.Range(0, (int)set.Count).Select(i => (long)i)], x, y);
        return (x, y);
    }

    /// <summary>The one line that refuses the job's data.</summary>
    public string Refusal(JobSpec job)
    {
        foreach (var cache in new[] { DataCache.User, Cache })
        {
            var e = Assert.Throws<UserException>(() => Dataset.Open(job, cache));
            Assert.Equal(ExitCode.BadData, e.Code);
            Assert.DoesNotContain('\n', e.Message);
            Assert.StartsWith(_path, e.Message, StringComparison.Ordinal);
            if (cache != DataCache.User) return e.Message[(_path.Length + 1)..];
        }

        throw new InvalidOperationException();
    }

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
