using System.Security.Cryptography;
using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Worker.Hosting;
using Convoy.Worker.Training;
using Google.Protobuf;

namespace Convoy.Worker.Tests.Cluster;

/// <summary>A worker as the fake coordinator knows it.</summary>
internal sealed record Seat(int Id, Hello Hello, IActorRef Node);

/// <summary>
/// A coordinator that does what the test says: it admits, assigns, and otherwise only writes down what it hears. Real
/// remoting over loopback; the workers are the real ones, in this process.
/// </summary>
internal sealed class FakeCoordinator : IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    // Test machines are busy: a link is not given up because its process had no processor for a second.
    private static readonly ClockTable Clocks = new()
    { Dead = TimeSpan.FromSeconds(10), StepOverdue = TimeSpan.FromSeconds(20) };
    private readonly Lock _gate = new();
    private readonly List<(string Worker, IMessage Message)> _heard = [];
    private readonly List<TaskCompletionSource> _waiters = [];
    private readonly Dictionary<string, Seat> _seats = [];
    private readonly Dictionary<string, WorkerProcess> _processes = [];
    private readonly ActorSystem _system = ActorSystem.Create("coordinator");
    private Remoting _remoting = null!;
    private IActorRef _actor = null!;

    public JobSpec Job { get; private init; } = null!;

    /// <summary>What the workers are given to run; the toy model does not look at it.</summary>
    public byte[] Graph { get; init; } = [1, 2, 3];

    public string Folder { get; } = Directory.CreateTempSubdirectory("convoy-worker-test").FullName;

    public long Generation { get; private set; }

    public static async Task<FakeCoordinator> StartAsync(JobSpec? job = null, byte[]? graph = null)
    {
        var c = new FakeCoordinator
        {
            Graph = graph ?? [1, 2, 3],
            Job = job ?? new JobSpec
            {
                Model = new ModelSpec { Layers = [4, 2] }, Data = new DataSpec { Path = ["/nowhere"] },
                Batch = 24, Slices = 8, Steps = 100, Seed = 5, Sync = new SyncSpec { BucketBytes = 4096 * 4 },
                Checkpoint = new CheckpointSpec { Every = 0 }, Clip = new ClipSpec { GlobalNorm = 50 },
            },
        };
        c._actor = c._system.ActorOf(Props.Create(() => new Ear(c)), "coordinator");
        c._remoting = await Remoting.StartAsync(c._system, new RemotingOptions
        {
            NodeName = "coordinator", Incarnation = new Incarnation(1), BuildId = BuildId.Current, Clocks = Clocks,
        }, c._actor);
        c._remoting.Register("coordinator", c._actor);
        return c;
    }

    public async Task<WorkerProcess> AddWorkerAsync(string name, OpenModel? open = null)
    {
        var process = _processes[name] = await StartWorkerAsync(name, open ?? ToyModel.Opener());
        await HearAsync<Ready>(name);
        return process;
    }

    public Task<WorkerProcess> StartWorkerAsync(string name, OpenModel open) =>
        WorkerProcess.StartAsync(new WorkerOptions
        {
            Join = _remoting.Address, Name = name, Say = _ => { }, Clocks = Clocks,
            LogDirectory = Path.Combine(Folder, "logs"),
        }, open);

    public async Task AddWorkersAsync(int count)
    {
        for (var i = 1; i <= count; i++) await AddWorkerAsync($"n{i}");
    }

    /// <summary>Opens the next generation for these workers, each with its action.</summary>
    public void Open(long start, long until, params (string Worker, AlignAction Action, string Source)[] members)
    {
        lock (_gate)
        {
            Generation++;
            var sorted = members.OrderBy(m => _seats[m.Worker].Id).ToArray();
            var open = new Open
            {
                LeaderToken = 1, Generation = Generation, JobId = "job", StartStep = start, UntilStep = until,
                CheckpointPath = Path.Combine(Folder, "published"),
            };
            foreach (var m in sorted)
            {
                var seat = _seats[m.Worker];
                open.Members.Add(new Member
                {
                    WorkerId = seat.Id, Incarnation = seat.Hello.Incarnation, PeerAddress = seat.Hello.PeerAddress,
                    Action = m.Action, Source = m.Source.Length > 0 ? _seats[m.Source].Id : 0,
                });
            }

            open.Cuts.AddRange(Enumerable.Range(0, sorted.Length + 1).Select(i => Job.Slices * i / sorted.Length));
            foreach (var m in sorted) _seats[m.Worker].Node.Tell(open, _actor);
        }
    }

    public void OpenAll(long start, long until, AlignAction action)
    {
        (string, AlignAction, string)[] members;
        lock (_gate) members = [.. _seats.Keys.Order(StringComparer.Ordinal).Select(n => (n, action, ""))];
        Open(start, until, members);
    }

    /// <summary>
    /// Opens from the newest state of those who answered a fence, and returns its step. They may be one step apart:
    /// when a link breaks or a fence comes, one may have had all of a step and another not.
    /// </summary>
    public long OpenFenced(IReadOnlyDictionary<string, Fenced> fenced, long until,
        params (string Worker, AlignAction Action, string Source)[] joiners)
    {
        var newest = fenced.Values.Max(f => f.Step);
        var holder = fenced.First(f => f.Value.Step == newest).Key;
        var stay = fenced.Select(f => f.Value.Step == newest ? (f.Key, AlignAction.Keep, "")
            : f.Value.HoldsNext ? (f.Key, AlignAction.ApplyHeld, "")
            : (f.Key, AlignAction.FetchChunks, holder));
        Open(newest, until, [.. stay, .. joiners]);
        return newest;
    }

    public void Tell(string worker, IMessage message)
    {
        lock (_gate) _seats[worker].Node.Tell(message, _actor);
    }

    /// <summary>Fences these workers for the next generation and returns their answers.</summary>
    public async Task<IReadOnlyDictionary<string, Fenced>> FenceAsync(FenceKind kind, long stopAt,
        params string[] workers)
    {
        var generation = Generation + 1;
        foreach (var w in workers)
            Tell(w, new Fence
            { LeaderToken = 1, Generation = generation, Kind = kind, StopAt = stopAt, Reason = "test" });
        var answers = new Dictionary<string, Fenced>();
        foreach (var w in workers) answers[w] = await HearAsync<Fenced>(w, f => f.Generation == generation);
        return answers;
    }

    public async Task<T> HearAsync<T>(string worker, Func<T, bool>? which = null) where T : class, IMessage
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            Task next;
            lock (_gate)
            {
                foreach (var (from, message) in _heard)
                    if (from == worker && message is T m && (which is null || which(m))) return m;
                var failed = _heard.Find(h => h.Message is WorkerFailed or PrepareFailed);
                if (failed.Message is not null && typeof(T) != failed.Message.GetType())
                    Assert.Fail($"{failed.Worker}: {failed.Message}");
                var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiters.Add(waiter);
                next = waiter.Task;
            }

            try
            {
                await next.WaitAsync(deadline.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"{typeof(T).Name} of {worker} did not come; heard:\n{Transcript()}");
            }
        }
    }

    public IReadOnlyList<T> Heard<T>(string worker) where T : IMessage
    {
        lock (_gate) return [.. _heard.Where(h => h.Worker == worker).Select(h => h.Message).OfType<T>()];
    }

    public IReadOnlyList<StepRow> Rows(string worker) => [.. Heard<StepReport>(worker).SelectMany(r => r.Rows)];

    public string Transcript()
    {
        lock (_gate)
            return string.Join('\n', _heard.Where(h => h.Message is not Beat and not StepReport)
                .Select(h => $"{h.Worker}: {h.Message.Descriptor.Name} {h.Message}").TakeLast(60));
    }

    public async Task<string> WeightsAtEndAsync(string worker, long step)
    {
        var end = await HearAsync<ReachedEnd>(worker, e => e.Step == step && e.Generation == Generation);
        return Convert.ToHexString(end.WeightsSha256.Span);
    }

    /// <summary>Ends a worker without a word to the coordinator.</summary>
    public async Task KillAsync(string name)
    {
        var process = _processes[name];
        _processes.Remove(name);
        lock (_gate) _seats.Remove(name);
        await process.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes.Values) await process.DisposeAsync();
        await _remoting.DisposeAsync();
        await _system.Terminate();
        Directory.Delete(Folder, recursive: true);
    }

    private void Hear(IMessage message, IActorRef sender)
    {
        lock (_gate)
        {
            if (message is Hello hello) Admit(hello, sender);
            var peer = Remoting.PeerOf(sender)?.Id?.Node ?? "?";
            _heard.Add((peer, message));
            foreach (var waiter in _waiters) waiter.TrySetResult();
            _waiters.Clear();
        }
    }

    private void Admit(Hello hello, IActorRef node)
    {
        var id = _seats.TryGetValue(hello.WorkerName, out var old)
            ? old.Id : _seats.Values.Select(s => s.Id).DefaultIfEmpty(0).Max() + 1;
        _seats[hello.WorkerName] = new Seat(id, hello, node);
        node.Tell(new Welcome { WorkerId = id, LeaderToken = 1 }, _actor);
        node.Tell(new Assign
        {
            LeaderToken = 1, JobId = "job", JobJson = ByteString.CopyFrom(JobJson.Write(Job)),
            Graph = ByteString.CopyFrom(Graph), GraphSha256 = ByteString.CopyFrom(SHA256.HashData(Graph)),
            CheckpointRoot = Path.Combine(Folder, "checkpoints"),
        }, _actor);
    }

    private sealed class Ear : ReceiveActor
    {
        public Ear(FakeCoordinator owner) =>
            ReceiveAny(m => { if (m is IMessage message) owner.Hear(message, Sender); });
    }
}
