using System.Net;
using System.Net.Sockets;
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Addresses;
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.TestKit;

namespace Convoy.Actors.Tests.Remoting.Addresses;

public sealed class AddressProbeTests // R19
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly DialPlace[] Places = [.. Enumerable.Range(1, 3)
        .Select(i => new DialPlace($"10.0.0.{i}", 7, new IPEndPoint(IPAddress.Parse($"10.0.0.{i}"), 7)))];
    private readonly Wires _wires = new();
    private readonly ManualTime _time = new();
    private readonly List<string> _tried = [];

    [Fact]
    public async Task The_first_in_the_order_wins_when_it_answers()
    {
        _wires.Answer(2);
        var probed = await Dial([1, 0, 2]);
        Assert.Equal((1, 1), (probed.Place, _wires.Dials.Count));
        Assert.Empty(_tried);
    }

    [Fact]
    public async Task A_refusal_brings_the_next_one_at_once()
    {
        _wires.Refuse(1);
        _wires.Refuse(2);
        _wires.Answer(3);
        var probed = await Dial([0, 1, 2]);
        Assert.Equal(2, probed.Place);
        Assert.Equal(["10.0.0.1:7 (refused)", "10.0.0.2:7 (refused)"], _tried);
    }

    [Fact]
    public async Task An_address_that_is_silent_has_a_head_start_and_no_more()
    {
        _wires.ConnectsLate = true;
        _wires.Answer(2);
        var dialling = Dial([0, 1]);
        await PassAsync(dialling);
        var probed = await dialling;
        Assert.Equal(1, probed.Place);
        Assert.Empty(_tried); // the first did not fail, it was overtaken

        // AP-2: it opens late and is closed.
        var late = _wires.AnswerLate(1);
        await late.Closed.Task.WaitAsync(Limit, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Nobody_answers_until_the_deadline_and_each_is_named()
    {
        _wires.Refuse(2);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        var dialling = AddressProbe.DialAsync(_wires, Places, [0, 1, 2], _tried, _time, deadline.Token);
        await PassAsync(dialling);
        var probed = await dialling;
        Assert.Null(probed.Connection);
        Assert.Equal(["10.0.0.1:7 (no answer)", "10.0.0.2:7 (refused)", "10.0.0.3:7 (no answer)"],
            _tried.Order(StringComparer.Ordinal));
        Assert.Equal(3, probed.Failures.Count);
    }

    private Task<Probed> Dial(int[] order) =>
        AddressProbe.DialAsync(_wires, Places, order, _tried, _time, TestContext.Current.CancellationToken);

    /// <summary>Virtual time goes on until the task has ended.</summary>
    private async Task PassAsync(Task task)
    {
        while (!task.IsCompleted)
        {
            _time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }
    }

    /// <summary>A network of wires that answer, refuse, or say nothing.</summary>
    private sealed class Wires : INetwork
    {
        private readonly Dictionary<string, TaskCompletionSource<IConnection>> _answers = [];

        public List<string> Dials { get; } = [];

        public void Answer(int host) => At(host).TrySetResult(new Wire());

        public void Refuse(int host) =>
            At(host).TrySetException(new SocketException((int)SocketError.ConnectionRefused));

        public Wire AnswerLate(int host)
        {
            var wire = new Wire();
            At(host).SetResult(wire);
            return wire;
        }

        public IConnectionListener Listen(IPEndPoint at) => throw new NotSupportedException();

        public async ValueTask<IConnection> DialAsync(IPEndPoint to, CancellationToken cancel)
        {
            TaskCompletionSource<IConnection> answer;
            lock (_answers)
            {
                Dials.Add(to.ToString());
                answer = At(to.Address.ToString());
            }

            // A real socket may be connected in the moment in which it is cancelled.
            return ConnectsLate ? await answer.Task : await answer.Task.WaitAsync(cancel);
        }

        public bool ConnectsLate { get; set; }

        private TaskCompletionSource<IConnection> At(int host) => At($"10.0.0.{host}");

        private TaskCompletionSource<IConnection> At(string host)
        {
            lock (_answers)
            {
                if (!_answers.TryGetValue(host, out var answer))
                    _answers.Add(host, answer =
                        new TaskCompletionSource<IConnection>(TaskCreationOptions.RunContinuationsAsynchronously));
                return answer;
            }
        }
    }

    private sealed class Wire : IConnection
    {
        public TaskCompletionSource Closed { get; } = new();
        public string RemoteAddress => "wire";
        public bool IsLoopback => false;
        public string Kind => "wire";
        public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default) =>
            ValueTask.CompletedTask;
        public ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancel = default) =>
            ValueTask.FromResult(0);
        public void Dispose() => Closed.TrySetResult();
    }
}
