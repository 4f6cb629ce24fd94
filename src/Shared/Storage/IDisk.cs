namespace Convoy.Shared.Storage;

/// <summary>
/// The few things a durable format does with a disk, so that the real one can be replaced by one that crashes at a
/// chosen operation (decision 12). Paths are absolute. Operating failures are <see cref="IOException"/>.
/// </summary>
public interface IDisk
{
    /// <summary>Creates the folder and its parents; nothing happens where it exists.</summary>
    void CreateFolder(string path);

    bool FolderExists(string path);

    bool FileExists(string path);

    /// <summary>Names in a folder, sorted by code point; empty where there is no such folder.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>A new empty file; one that exists is emptied.</summary>
    IDiskFile Create(string path);

    /// <summary>A stream for reading that can seek.</summary>
    Stream OpenRead(string path);

    /// <summary>Atomic; replaces a file that is there.</summary>
    void RenameFile(string from, string to);

    /// <summary>Atomic; fails where the target exists.</summary>
    void RenameFolder(string from, string to);

    /// <summary>Makes the names in a folder durable: files made, renamed or deleted in it before.</summary>
    void FlushFolder(string path);

    void DeleteFile(string path);

    /// <summary>Deletes a folder with everything in it; nothing happens where there is none.</summary>
    void DeleteFolder(string path);
}

/// <summary>A file being written.</summary>
public interface IDiskFile : IDisposable
{
    void Write(ReadOnlySpan<byte> data);

    /// <summary>Returns when the content is durable.</summary>
    void Flush();
}
