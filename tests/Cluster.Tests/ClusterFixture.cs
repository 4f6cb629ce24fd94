using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;

[assembly: AssemblyFixture(typeof(Convoy.Cluster.Tests.ClusterFixture))]
// The tests start many processes on two cores: one at a time keeps their deadlines meaningful.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Convoy.Cluster.Tests;

/// <summary>
/// A folder with the job and its data, and the reference: the same job undisturbed on one worker, run once.
/// </summary>
public sealed class ClusterFixture : IDisposable
{
    private readonly Lazy<Task<Ended>> _reference;

    public ClusterFixture()
    {
        Folder = Directory.CreateTempSubdirectory("convoy-cluster-").FullName;
        SmallDigits.Write(Folder);
        _reference = new(() => ConvoyProcess.RunAsync(Folder, "train", "job.yaml", "--workers", "1",
            "--state", "reference", "--json"));
    }

    public string Folder { get; }

    internal async Task<Ended> ReferenceAsync()
    {
        var ended = await _reference.Value;
        Assert.True(ended.Code == 0, ended.ToString());
        return ended;
    }

    internal async Task<string> ReferenceHashAsync() =>
        (await ReferenceAsync()).Json.GetProperty("weights_sha256").GetString()!;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
