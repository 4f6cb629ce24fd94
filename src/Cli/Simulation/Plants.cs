using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Actors.Simulation;
using Convoy.Coordinator.Jobs;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;
using Convoy.Worker.Training;
using Google.Protobuf;

namespace Convoy.Cli.Simulation;

/// <summary>
/// Where tests of the checkers put a bug: around the system's parts, never inside them. Nothing is planted in a run of
/// the command.
/// </summary>
internal sealed record Plants
{
    public static readonly Plants None = new();

    public Func<IJobModel, string, SimulatedCluster, IJobModel> Model { get; init; } = static (model, _, _) => model;

    /// <summary>The journal as coordinators see it; the checkers look at what lies behind it.</summary>
    public Func<IJournal, SimulatedCluster, IJournal> Journal { get; init; } = static (journal, _) => journal;

    /// <summary>The journal itself.</summary>
    public Func<IJournal, IJournal> Store { get; init; } = static journal => journal;

    /// <summary>The actor of a job, by its wall's name; empty: the first.</summary>
    public Func<string, JobShell, Props> JobActor { get; init; } =
        static (_, shell) => Props.Create(() => new JobActor(shell));

    /// <summary>The clock table of workers; the checkers look at the true one.</summary>
    public Func<ClockTable, ClockTable> Clocks { get; init; } = static clocks => clocks;

    /// <summary>From, to, message: what is sent instead; null drops it.</summary>
    public Func<string, string, IMessage, IMessage?>? Tamper { get; init; }

    /// <summary>Who gets a message for a name that nobody has in a process; null: nobody.</summary>
    public Func<SimulatedRemoting, string, IActorRef?>? Finds { get; init; }

    /// <summary>The cluster was made; nothing runs yet.</summary>
    public Action<SimulatedCluster> Begin { get; init; } = static _ => { };

    /// <summary>Who takes the bulk frames that come to a worker.</summary>
    public Func<IBulkReceiver, IBulkReceiver> Bulk { get; init; } = static receiver => receiver;

    /// <summary>Where files of processes are; the checkers look at the disk below.</summary>
    public Func<IDisk, IDisk> Disk { get; init; } = static disk => disk;
}
