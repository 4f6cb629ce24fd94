using System.Collections.Concurrent;
using Convoy.Actors.Remoting;
using Convoy.Actors.TestKit;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Shared.Time;

namespace Convoy.Actors.Tests.Remoting;

/// <summary>One process of a test: an actor system with remoting on a free loopback port.</summary>
internal sealed class Node : IAsyncDisposable
{
    private static long _incarnations;

    private Node(string name)
    {
        Kit = new TestKit.TestKit(virtualTime: false, logSink: new Sink(this))
        { DefaultTimeout = TimeSpan.FromSeconds(20) };
        Name = name;
        Links = Kit.CreateTestProbe("links");
        Inbox = Kit.CreateTestProbe("inbox");
    }

    public string Name { get; }
    public TestKit.TestKit Kit { get; }
    public TestProbe Links { get; }
    public TestProbe Inbox { get; }
    public Convoy.Actors.Remoting.Remoting Remoting { get; private set; } = null!;
    public BulkSink Bulk { get; } = new();
    public ConcurrentQueue<string> LogLines { get; } = new();

    /// <summary>Generous: the machine of the tests is shared, and nothing here measures it.</summary>
    public static ClockTable Clocks { get; } = new()
    {
        Confirm = TimeSpan.FromSeconds(4),
        Dead = TimeSpan.FromSeconds(9),
        StepOverdue = TimeSpan.FromSeconds(20),
    };

    public static async Task<Node> StartAsync(string name, Func<RemotingOptions, RemotingOptions>? change = null)
    {
        var node = new Node(name);
        var options = new RemotingOptions
        {
            NodeName = name,
            Incarnation = new Incarnation((ulong)Interlocked.Increment(ref _incarnations)),
            BuildId = "b1",
            Clocks = Clocks,
        };
        node.Remoting = await Convoy.Actors.Remoting.Remoting.StartAsync(
            node.Kit.Sys, change?.Invoke(options) ?? options, node.Links.Ref, node.Bulk);
        node.Remoting.Register("inbox", node.Inbox.Ref);
        return node;
    }

    public Peer Dial(Node other) => Remoting.Connect(other.Remoting.Address, Links.Ref);

    /// <summary>Connects and waits until both ends know.</summary>
    public (Peer Here, Peer There) Join(Node other)
    {
        var here = Dial(other);
        var there = other.Links.ExpectMsg<LinkUp>().Peer;
        Links.ExpectMsg<LinkUp>();
        return (here, there);
    }

    public async ValueTask DisposeAsync()
    {
        await Remoting.DisposeAsync();
        Kit.Dispose();
    }

    public static StepDone Step(long step) => new() { Generation = 1, Step = step, Fingerprint = 7 };

    private sealed class Sink(Node node) : ILogSink
    {
        public void Write(LogLevel level, string source, string text, Exception? exception = null) =>
            node.LogLines.Enqueue($"{level} {source}: {text}");
    }
}

internal sealed class BulkSink : IBulkReceiver
{
    public sealed record Frame(Peer From, BulkHeader Header, byte[] Payload);

    public sealed record Damage(BulkHeader Header, string Why);

    public BlockingCollection<object> Events { get; } = [];
    public bool Refuse { get; set; }
    public int Returned;

    public Memory<byte> Rent(Peer from, in BulkHeader header) => Refuse ? default : new byte[header.PayloadBytes];

    public void Received(Peer from, in BulkHeader header, Memory<byte> payload) =>
        Events.Add(new Frame(from, header, payload.ToArray()));

    public void Damaged(Peer from, in BulkHeader header, string why) => Events.Add(new Damage(header, why));

    public void Return(Memory<byte> rented) => Interlocked.Increment(ref Returned);

    public T Expect<T>() => Assert.IsType<T>(
        Events.TryTake(out var next, TimeSpan.FromSeconds(20)) ? next : throw new TimeoutException("no bulk frame"));

    public static BulkHeader Header(long step, int chunk = 0) => new(
        BulkKind.Partial, 0, new TreeNode(0, 0), new Generation(1), new StepNumber(step), 0, chunk, 0, 0, 0);
}

internal sealed class Completion : IBulkCompletion
{
    public BlockingCollection<bool> Done { get; } = [];

    public void Completed(in BulkHeader header, bool sent) => Done.Add(sent);

    public bool Expect() => Done.TryTake(out var sent, TimeSpan.FromSeconds(20))
        ? sent : throw new TimeoutException("no completion");
}
