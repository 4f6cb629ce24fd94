using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Convoy.Actors.Remoting.SharedMemory;

/// <summary>Whose ring a file is; both ends compare it before they believe a byte.</summary>
/// <param name="Owner">Incarnation of the accepting process, which made the file.</param>
/// <param name="Dialler">Incarnation of the other one.</param>
/// <param name="Link">Number of the link among the dialler's.</param>
/// <param name="Generation">Number of the session on the link.</param>
internal readonly record struct RingKey(ulong Owner, ulong Dialler, ulong Link, ulong Generation);

/// <summary>
/// Two rings of bytes in one mapped file, native byte order because both ends are on one machine:
/// <code>
///       0 magic (8)   8 bytes of a ring (8)   16 owner (8)   24 dialler (8)   32 link (8)   40 generation (8)
///      48 proof of the owner (32)   80 proof of the dialler (32)
///   4,096 control of the ring dialler to owner     8,192 control of the ring owner to dialler
///  12,288 first ring    12,288 + bytes: second ring
/// control, each on lines of its own:
///     0 head: bytes written ever       128 tail: bytes read ever
///   256 reader sleeps until so many bytes are there; 0: it is awake      384 writer waits for room
/// </code>
/// </summary>
internal sealed unsafe class SharedRing : IDisposable
{
    public const int DefaultBytes = 1 << 20;

    private const ulong Magic = 0x32474E4952564E43; // "CNVRING2"
    private const int ProofsAt = 48;
    private const int ControlAt = 4_096;
    private const int DataAt = 3 * 4_096;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private SharedRing(MemoryMappedFile file, int bytes)
    {
        _file = file;
        _view = file.CreateViewAccessor(0, FileBytes(bytes));
        _start = (byte*)_view.SafeMemoryMappedViewHandle.DangerousGetHandle() + _view.PointerOffset;
        Bytes = bytes;
    }

    /// <summary>Of each direction; a power of two.</summary>
    public int Bytes { get; }

    /// <summary>All its memory is taken now: a full disk is an error here, not a crash at a later touch.</summary>
    public static SharedRing Create(string path, RingKey key, LocalSecret secret, int bytes)
    {
        var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            Share = FileShare.ReadWrite | FileShare.Delete,
            UnixCreateMode = OperatingSystem.IsWindows() ? null : UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        using (stream)
        {
            var zeros = new byte[64 << 10];
            for (var left = FileBytes(bytes); left > 0; left -= Math.Min(left, zeros.Length))
                stream.Write(zeros, 0, (int)Math.Min(left, zeros.Length));
            stream.Flush();
            stream.Position = 0;
            stream.Write(MemoryMarshal.AsBytes<ulong>([Magic, (ulong)bytes, key.Owner, key.Dialler, key.Link,
                key.Generation]));
            stream.Write(secret.Proof(ofAcceptor: true, key));
            stream.Flush();
            return Map(stream, bytes);
        }
    }

    /// <summary>The dialler's end, which leaves its proof. Null: the file is not the ring it should be.</summary>
    public static SharedRing? Open(string path, RingKey key, LocalSecret secret)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite,
            FileShare.ReadWrite | FileShare.Delete);
        Span<ulong> head = stackalloc ulong[6];
        if (stream.ReadAtLeast(MemoryMarshal.AsBytes(head), head.Length * sizeof(ulong),
            throwOnEndOfStream: false) < head.Length * sizeof(ulong))
            return null;
        var bytes = head[1];
        var isOurs = head[0] == Magic && key == new RingKey(head[2], head[3], head[4], head[5])
            && bytes is >= 4_096 and <= 1 << 30 && (bytes & (bytes - 1)) == 0 && stream.Length == FileBytes((int)bytes);
        Span<byte> proof = stackalloc byte[LocalSecret.ProofBytes];
        if (!isOurs || stream.ReadAtLeast(proof, proof.Length, throwOnEndOfStream: false) < proof.Length
            || !secret.IsProof(proof, ofAcceptor: true, key)) return null;
        var ring = Map(stream, (int)bytes);
        secret.Proof(ofAcceptor: false, key).CopyTo(ring.DiallersProof);
        return ring;
    }

    /// <summary>Whether the other end is the one that shook hands.</summary>
    public bool IsProvedBy(LocalSecret secret, RingKey key) => secret.IsProof(DiallersProof, ofAcceptor: false, key);

    public ref long Head(bool toOwner) => ref At(toOwner, 0);

    public ref long Tail(bool toOwner) => ref At(toOwner, 128);

    public ref long ReaderSleeps(bool toOwner) => ref At(toOwner, 256);

    public ref long WriterWaits(bool toOwner) => ref At(toOwner, 384);

    /// <summary>Memory of one direction. As all of the ring, nobody may use it when it is disposed of.</summary>
    public Span<byte> Data(bool toOwner) => new(_start + DataAt + (toOwner ? 0 : Bytes), Bytes);

    /// <summary>Unmaps it, the first time.</summary>
    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }

    private Span<byte> DiallersProof => new(_start + ProofsAt + LocalSecret.ProofBytes, LocalSecret.ProofBytes);

    private static long FileBytes(int bytes) => DataAt + 2L * bytes;

    private static SharedRing Map(FileStream stream, int bytes)
    {
        var file = MemoryMappedFile.CreateFromFile(
            stream, null, FileBytes(bytes), MemoryMappedFileAccess.ReadWrite, HandleInheritability.None,
            leaveOpen: true);
        return new SharedRing(file, bytes);
    }

    private ref long At(bool toOwner, int offset) =>
        ref Unsafe.AsRef<long>(_start + ControlAt * (toOwner ? 1 : 2) + offset);
}
