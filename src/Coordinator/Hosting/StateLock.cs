using Convoy.Shared;
using Convoy.Shared.Storage;

namespace Convoy.Coordinator.Hosting;

/// <summary>
/// One coordinator for one state folder, unless others stand by. The operating system holds the lock, so it is gone
/// with the process, however that ends. It only keeps a second one from starting by mistake: who leads is what the
/// lease says.
/// </summary>
internal sealed class StateLock : IDisposable
{
    private const string FileName = "coordinator.lock";

    private readonly FileStream _file;

    private StateLock(FileStream file) => _file = file;

    public static StateLock Take(string stateDirectory)
    {
        try
        {
            Directory.CreateDirectory(stateDirectory);
            return new StateLock(new FileStream(
                Path.Combine(stateDirectory, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (StorageFault.IsHeld(e))
        {
            var other = Api.EndpointFile.TryRead(stateDirectory);
            var where = other is null ? "" : $" (pid {other.Pid}, at {other.Address})";
            throw new UserException(ExitCode.Cluster,
                $"another coordinator{where} works on {stateDirectory}: stop it, stand by with --standby, or take another folder with --state");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageFault.Of(Path.Combine(stateDirectory, FileName), e);
        }
    }

    /// <summary>Null: another process has it.</summary>
    public static StateLock? TryTake(string stateDirectory)
    {
        try
        {
            return Take(stateDirectory);
        }
        catch (UserException)
        {
            return null; // who leads by its lease does not need it; it is tried again
        }
    }

    public void Dispose() => _file.Dispose();
}
