using Convoy.Actors.Simulation;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// Walls between jobs that train at once: no message or frame goes from a worker of one to a worker of another, none
/// touches a file of another, none computes another's samples, and whoever is told to train a job was told to prepare
/// that one. What a worker said before it changed its job may still arrive.
/// </summary>
internal sealed class WallsChecker : Checker
{
    private const string Scratch = "/scratch/";

    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        var receiver = to.Process.Host;
        var named = message switch
        {
            Open m => m.JobId,
            Cast { Open: { } m } => m.JobId,
            Learn m => m.JobId,
            _ => "",
        };
        if (named.Length > 0 && Cluster.JobAt(receiver) is { } job)
            Check(JobPlaces.NameOf(named) == job.Name,
                $"{receiver} prepared {job.Name} and is told {message.Descriptor.Name} of {named}");
        Look(from, to, message.Descriptor.Name);
    }

    public void OnBulk(SimulatedRemoting from, SimulatedRemoting to, BulkHeader header) =>
        Look(from, to, $"a frame {header.Kind} of {header.Generation}, step {header.Step},");

    private void Look(SimulatedRemoting sender, SimulatedRemoting receiver, string what)
    {
        // What was held up outlives its sender, and the process after it may train another job.
        if (sender.Process.IsGone) return;
        var (from, to) = (sender.Process.Host, receiver.Process.Host);
        if (Cluster.JobAt(from) is not { } left || Cluster.JobAt(to) is not { } right || left == right
            || Cluster.JobBefore(from) == right) return;
        Fail($"{what} comes to {to}, which trains {right.Name}, from {from}, which trains {left.Name}");
    }

    /// <summary>A file is made or read.</summary>
    public void OnFile(string host, string path)
    {
        if (Cluster.JobAt(host) is not { } job || path.StartsWith(Scratch + host, StringComparison.Ordinal)) return;
        // A shard may be under way when its worker is let go.
        var before = Cluster.JobBefore(host) ?? job;
        Check(path.StartsWith(job.Root, StringComparison.Ordinal)
            || path.StartsWith(before.Root, StringComparison.Ordinal),
            $"{host} trains {job.Name}, and makes or reads {path}");
    }

    /// <summary>A worker computes slices of a step of a job.</summary>
    public void OnRun(SimulatedJob job, string host) =>
        Check(Cluster.JobAt(host) is not { } its || its == job,
            $"{host} trains {Cluster.JobAt(host)?.Name}, and computes a step of {job.Name}");
}
