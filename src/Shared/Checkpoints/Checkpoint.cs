using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Convoy.Shared.Storage;
using Convoy.Shared.Tensors;

namespace Convoy.Shared.Checkpoints;

/// <summary>Where a tensor goes in a flat vector; its length follows from the shape.</summary>
public sealed record FlatSlot(string Tensor, Shape Shape, long Offset);

/// <summary>A flat vector and the tensors that fill it.</summary>
public sealed record FlatVector(Memory<float> Values, IReadOnlyList<FlatSlot> Slots);

/// <summary>A published checkpoint, opened: its manifest is read and checked, its shards are read on demand.</summary>
public sealed class Checkpoint
{
    private readonly IDisk _disk;

    private Checkpoint(IDisk disk, string path, Manifest manifest) => (_disk, Path, Manifest) = (disk, path, manifest);

    public string Path { get; }

    public Manifest Manifest { get; }

    /// <summary>Opens the folder of a checkpoint. Throws a UserException where it is not one.</summary>
    public static Checkpoint Open(IDisk disk, string path)
    {
        var file = System.IO.Path.Combine(path, Manifest.FileName);
        if (!disk.FileExists(file))
            throw Damage.Because(path, $"this is not a checkpoint (it has no {Manifest.FileName})");
        try
        {
            using var stream = disk.OpenRead(file);
            return new Checkpoint(disk, path, Manifest.Decode(stream, file));
        }
        catch (IOException e)
        {
            throw Damage.Because(file, $"it cannot be read: {e.Message}");
        }
    }

    /// <summary>Reads every shard and compares hash, size and header with the manifest. Throws on the first
    /// difference.</summary>
    public void Verify()
    {
        for (var shard = 0; shard < Manifest.Shards.Count; shard++) ReadShard(shard, []);
    }

    /// <summary>
    /// Rows of steps that nobody led; null: a coordinator published this. Throws where they are damaged.
    /// </summary>
    public SavedRows? Rows()
    {
        var file = System.IO.Path.Combine(Path, SavedRows.FileName);
        if (!_disk.FileExists(file)) return null;
        try
        {
            using var stream = _disk.OpenRead(file);
            return SavedRows.Decode(stream, file);
        }
        catch (IOException e)
        {
            throw Damage.Because(file, $"it cannot be read: {e.Message}");
        }
    }

    /// <summary>
    /// Fills flat vectors. Every slot must be in the checkpoint with its shape; hashes are checked on the way, so after
    /// a refusal the vectors hold nothing to be used. What lies between the slots is left alone.
    /// </summary>
    public void Load(params IReadOnlyList<FlatVector> vectors)
    {
        var saved = Manifest.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        var wanted = new Dictionary<string, Memory<float>>(StringComparer.Ordinal);
        foreach (var vector in vectors)
        {
            foreach (var slot in vector.Slots)
            {
                Fit(slot, saved);
                if (!wanted.TryAdd(slot.Tensor,
                    vector.Values.Slice(checked((int)slot.Offset), checked((int)slot.Shape.Count))))
                    throw new ArgumentException($"{slot.Tensor} is wanted twice", nameof(vectors));
            }
        }

        for (var shard = 0; shard < Manifest.Shards.Count; shard++)
            if (Manifest.Tensors.Any(t => t.Shard == shard && wanted.ContainsKey(t.Name))) ReadShard(shard, wanted);
    }

    private void Fit(FlatSlot slot, Dictionary<string, SavedTensor> saved)
    {
        if (!saved.TryGetValue(slot.Tensor, out var tensor))
            throw new UserException(ExitCode.BadCheckpoint,
                $"{Path}: it has no tensor {slot.Tensor}; it is of another model or optimizer");
        if (!tensor.Shape.SequenceEqual(slot.Shape.Dims.ToArray())
            || tensor.DType != SafetensorsHeader.NameOf(DType.Float32))
            throw new UserException(ExitCode.BadCheckpoint,
                $"{Path}: tensor {slot.Tensor} is {tensor.DType} [{string.Join(", ", tensor.Shape)}], the model "
                    + $"needs F32 {slot.Shape}; it is of another model");
    }

    private void ReadShard(int shard, Dictionary<string, Memory<float>> wanted)
    {
        var expected = Manifest.Shards[shard];
        var file = System.IO.Path.Combine(Path, expected.File);
        if (!_disk.FileExists(file)) throw Damage.Because(file, "the shard is missing");
        try
        {
            using var stream = _disk.OpenRead(file);
            if (stream.Length != expected.Bytes)
                throw Damage.At(file, Math.Min(stream.Length, expected.Bytes),
                    $"the shard has {stream.Length} bytes, the manifest says {expected.Bytes}");
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            using var reader = new HashingReader(stream, hash);
            var header = SafetensorsHeader.Read(reader, file);
            CheckTensors(header, shard, file);
            foreach (var tensor in header.Tensors) reader.Copy(tensor.Bytes, wanted.GetValueOrDefault(tensor.Name));
            if (Convert.ToHexStringLower(hash.GetHashAndReset()) != expected.Sha256)
                throw Damage.Because(file, "the SHA-256 of the shard differs from the manifest: the file is damaged");
        }
        catch (IOException e)
        {
            throw Damage.Because(file, $"it cannot be read: {e.Message}");
        }
    }

    private void CheckTensors(SafetensorsHeader header, int shard, string file)
    {
        var listed = Manifest.Tensors.Where(t => t.Shard == shard).OrderBy(t => t.Name,
            StringComparer.Ordinal).ToList();
        var there = header.Tensors.OrderBy(t => t.Name, StringComparer.Ordinal).ToList();
        if (listed.Count != there.Count)
            throw Damage.Because(file, $"it has {there.Count} tensors, the manifest lists {listed.Count}");
        for (var i = 0; i < listed.Count; i++)
        {
            var same = listed[i].Name == there[i].Name && listed[i].DType == SafetensorsHeader.NameOf(there[i].DType)
                && listed[i].Shape.SequenceEqual(there[i].Shape.Dims.ToArray());
            if (!same) throw Damage.Tensor(file, there[i].Name, "it differs from the manifest in name, type or shape");
        }
    }

    /// <summary>Hashes everything that is read through it.</summary>
    private sealed class HashingReader(Stream inner, IncrementalHash hash) : Stream
    {
        private readonly byte[] _piece = ArrayPool<byte>.Shared.Rent(1 << 18);

        public void Copy(long bytes, Memory<float> into)
        {
            var floats = into.Span;
            while (bytes > 0)
            {
                var piece = (int)Math.Min(bytes, 1 << 18);
                var to = floats.IsEmpty ? _piece.AsSpan(0, piece)
                    : MemoryMarshal.AsBytes(floats[..(piece / sizeof(float))]);
                this.ReadExactly(to);
                if (!floats.IsEmpty) floats = floats[(piece / sizeof(float))..];
                bytes -= piece;
            }
        }

        public override int Read(Span<byte> buffer)
        {
            var read = inner.Read(buffer);
            hash.AppendData(buffer[..read]);
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        protected override void Dispose(bool disposing)
        {
            if (disposing) ArrayPool<byte>.Shared.Return(_piece);
            base.Dispose(disposing);
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => inner.Length;
        public override long Position { get => inner.Position; set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
