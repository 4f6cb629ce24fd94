using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;

namespace Convoy.LoadTests.Messaging;

/// <summary>Two actor systems joined over loopback.</summary>
internal sealed class Pair : IDisposable
{
    public required ActorSystem SystemA { get; init; }
    public required ActorSystem SystemB { get; init; }
    public required Remoting A { get; init; }
    public required Remoting B { get; init; }
    public required Peer Peer { get; init; }

    /// <summary>Blocks the main thread, never one of the pool: the lanes need those.</summary>
    public static Pair Start(IBulkReceiver? atB = null, bool sharedMemory = false) =>
        StartAsync(atB, sharedMemory).GetAwaiter().GetResult();

    private static async Task<Pair> StartAsync(IBulkReceiver? atB, bool sharedMemory)
    {
        RemotingOptions Options(string name) => new()
        {
            NodeName = name,
            Incarnation = new Incarnation((ulong)Environment.ProcessId * 256 + name[0]),
            SharedMemory = sharedMemory,
            UnixSockets = sharedMemory,
        };
        var (systemA, systemB) = (ActorSystem.Create("a"), ActorSystem.Create("b"));
        var b = await Remoting.StartAsync(
            systemB, Options("b"), systemB.DeadLetters, atB);
        var a = await Remoting.StartAsync(systemA, Options("a"));
        var up = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var owner = systemA.ActorOf(Props.Create(() => new Owner(up)));
        var peer = a.Connect(b.Address, owner);
        await up.Task.WaitAsync(TimeSpan.FromSeconds(10));
        return new Pair { SystemA = systemA, SystemB = systemB, A = a, B = b, Peer = peer };
    }

    public void Dispose()
    {
        A.DisposeAsync().AsTask().Wait();
        B.DisposeAsync().AsTask().Wait();
        SystemA.Terminate().Wait();
        SystemB.Terminate().Wait();
    }

    private sealed class Owner : ReceiveActor
    {
        public Owner(TaskCompletionSource up)
        {
            Receive<LinkUp>(_ => up.TrySetResult());
            Receive<LinkDown>(m =>
            {
                if (m.Reason != LinkDownReason.ClosedHere) Console.Error.WriteLine($"link down: {m.Reason} {m.Text}");
            });
        }
    }
}
