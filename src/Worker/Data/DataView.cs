using System.IO.MemoryMappedFiles;
using Convoy.Shared;

namespace Convoy.Worker.Data;

/// <summary>Read-only bytes: a file mapped into memory, which all workers of a machine share, or an array.</summary>
internal sealed unsafe class DataView : IDisposable
{
    private readonly byte[]? _array;
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _pointer;

    public DataView(byte[] array) : this(array, array.Length) { }

    /// <summary>The first <paramref name="length"/> bytes of an array.</summary>
    public DataView(byte[] array, int length) => (_array, Length) = (array, length);

    private DataView(MemoryMappedFile file, MemoryMappedViewAccessor view, long length)
    {
        (_file, _view, Length) = (file, view, length);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _pointer);
        _pointer += _view.PointerOffset;
    }

    public long Length { get; }

    public static DataView Map(string path)
    {
        using var probe = BadData.Open(path);
        var length = probe.Length;
        try
        {
            var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
            return new DataView(file, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw BadData.File(path, $"it cannot be mapped into memory: {e.Message}");
        }
    }

    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        Invariant.Check(offset >= 0 && length >= 0 && offset <= Length - length, "DATA-1 a read lies inside its file");
        return _array is not null ? _array.AsSpan((int)offset, length)
            : new ReadOnlySpan<byte>(_pointer + offset, length);
    }

    /// <summary>The bytes from an offset in pieces of whole elements, for passes over everything.</summary>
    public void ForEachPiece(long offset, Action<long, ReadOnlySpan<byte>> piece)
    {
        const int PieceBytes = 1 << 20;
        for (var at = offset; at < Length; at += PieceBytes)
            piece(at, Slice(at, (int)Math.Min(PieceBytes, Length - at)));
    }

    public void Dispose()
    {
        if (_view is null) return;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file!.Dispose();
    }
}
