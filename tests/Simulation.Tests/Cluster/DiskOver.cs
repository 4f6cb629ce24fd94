using Convoy.Shared.Storage;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>A disk over another one: what a test does not change goes through.</summary>
internal abstract class DiskOver(IDisk disk) : IDisk
{
    public virtual void CreateFolder(string path) => disk.CreateFolder(path);
    public virtual bool FolderExists(string path) => disk.FolderExists(path);
    public virtual bool FileExists(string path) => disk.FileExists(path);
    public virtual IReadOnlyList<string> List(string folder) => disk.List(folder);
    public virtual IDiskFile Create(string path) => disk.Create(path);
    public virtual Stream OpenRead(string path) => disk.OpenRead(path);
    public virtual void RenameFile(string from, string to) => disk.RenameFile(from, to);
    public virtual void RenameFolder(string from, string to) => disk.RenameFolder(from, to);
    public virtual void FlushFolder(string path) => disk.FlushFolder(path);
    public virtual void DeleteFile(string path) => disk.DeleteFile(path);
    public virtual void DeleteFolder(string path) => disk.DeleteFolder(path);
}
