using Convoy.Actors.TestKit;
using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Execution.Asynchronous;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution.Asynchronous;

/// <summary>EXE-06: runs in the background, one, many or a stream; shared by executors; awaited or cancelled.</summary>
public sealed class ExecutorPoolTests
{
    private static CancellationToken Ends => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ARun_IsAwaited_AndHasTheBitsOfItsExecutor()
    {
        var graph = SmallModels.Build("mlp");
        await using var pool = new ExecutorPool(graph, 5, new ExecutorPoolOptions { Executors = 3, ThreadsEach = 2 });
        for (var i = 0; i < 10; i++)
        {
            var bindings = MockTensors.For(graph, 5, (ulong)i);
            AssertSame(new GraphExecutor(graph, 5).Run(bindings), await pool.Submit(bindings));
        }

        var statistics = pool.Statistics;
        Assert.Equal((10, 10, 0, 0, 0), (
            statistics.Submitted, statistics.Done, statistics.Failed, statistics.Waiting, statistics.Running));
        Assert.Equal(10, statistics.Loads.Sum(l => l.Runs));
    }

    [Fact]
    public async Task TheMostUrgentGoesFirst_AndOfTheSameTheOldest()
    {
        var gate = new GatedExecutor(Echo, 1);
        await using var pool = new ExecutorPool([gate]);
        Tensor[] numbers = [.. Enumerable.Range(0, 5).Select(i => Tensor.Full(DType.Float32, i, new Shape(1)))];
        int[] priorities = [0, 1, 5, 1, -7];
        var first = pool.Submit(X(numbers[0]), priorities[0]);
        await gate.BegunAsync(); // the others wait behind it
        ExecutionHandle[] others = [.. Enumerable.Range(1, 4).Select(i => pool.Submit(X(numbers[i]), priorities[i]))];
        Assert.Equal(ExecutionStatus.Running, first.Status);
        Assert.All(others, o => Assert.Equal(ExecutionStatus.Waiting, o.Status));
        Assert.Equal((4, 1), (pool.Statistics.Waiting, pool.Statistics.Running));
        gate.End(5);
        foreach (var run in others.Prepend(first)) await run;
        Assert.Equal([numbers[0], numbers[2], numbers[1], numbers[3], numbers[4]], gate.Seen);
    }

    [Fact]
    public async Task WhoeverIsFree_TakesTheNext_SoASlowExecutorTakesFewer()
    {
        var (slow, fast) = (new GatedExecutor(Echo, 1), new GatedExecutor(Echo, 1));
        await using var pool = new ExecutorPool([slow, fast]);
        var bindings = X(Tensor.Zeros(DType.Float32, 1));
        ExecutionHandle[] runs = [.. Enumerable.Range(0, 20).Select(_ => pool.Submit(bindings))];
        await slow.BegunAsync();
        fast.End(19);
        await fast.BegunAsync(19);
        slow.End();
        foreach (var run in runs) await run;
        Assert.Equal((1, 19), (slow.Seen.Count, fast.Seen.Count));
        Assert.Equal([1, 19], pool.Statistics.Loads.Select(l => l.Runs).Order());
    }

    [Fact]
    public async Task ARunThatWaits_IsTakenBack_AndOneUnderWay_GivesItsExecutorBack()
    {
        var gate = new GatedExecutor(Echo, 1);
        await using var pool = new ExecutorPool([gate]);
        var running = pool.Submit(X(Tensor.Zeros(DType.Float32, 1)));
        await gate.BegunAsync();
        var waiting = pool.Submit(X(Tensor.Zeros(DType.Float32, 1)));
        Assert.True(waiting.Cancel());
        Assert.False(waiting.Cancel());
        Assert.Equal(0, pool.Statistics.Waiting);
        Assert.True(running.Cancel());
        await Assert.ThrowsAsync<TaskCanceledException>(() => waiting.Result);
        await Assert.ThrowsAsync<TaskCanceledException>(() => running.Result);
        var third = pool.Submit(X(Tensor.Zeros(DType.Float32, 1)));
        await gate.BegunAsync();
        gate.End();
        await third;
        Assert.Equal(2, gate.Seen.Count); // the one that waited never came
        Assert.Equal((3, 1, 2), (pool.Statistics.Submitted, pool.Statistics.Done, pool.Statistics.Cancelled));
    }

    [Fact]
    public async Task TheQueueHasABound_WhichRefusesOrIsWaitedFor()
    {
        var gate = new GatedExecutor(Echo, 1);
        await using var pool = new ExecutorPool([gate], new ExecutorPoolOptions { WaitingMax = 2 });
        var bindings = X(Tensor.Zeros(DType.Float32, 1));
        _ = pool.Submit(bindings);
        await gate.BegunAsync();
        var second = pool.Submit(bindings);
        _ = pool.Submit(bindings);
        Assert.Contains("2 runs wait", Assert.Throws<InvalidOperationException>(() => pool.Submit(bindings)).Message,
            StringComparison.Ordinal);
        Assert.False(pool.TrySubmit(bindings, out _));
        var fourth = pool.SubmitAsync(bindings, cancel: Ends);
        Assert.False(fourth.IsCompleted);
        second.Cancel(); // makes room
        gate.End(3);
        await (await fourth);
        Assert.Equal(3, gate.Seen.Count);
    }

    [Fact]
    public async Task EveryWaitHasADeadline_ThatNamesIt()
    {
        var time = new ManualTime();
        var gate = new GatedExecutor(Echo, 1);
        var options = new ExecutorPoolOptions { WaitingMax = 1, Deadline = TimeSpan.FromSeconds(30), Time = time };
        await using var pool = new ExecutorPool([gate], options);
        var bindings = X(Tensor.Zeros(DType.Float32, 1));
        var running = pool.Submit(bindings);
        await gate.BegunAsync();
        var waiting = pool.Submit(bindings);
        var outside = pool.SubmitAsync(bindings, cancel: Ends).AsTask();
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(running.Result.IsCompleted || waiting.Result.IsCompleted || outside.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Contains("run 0 of the executor pool has no outputs after 30 s",
            (await Assert.ThrowsAsync<TimeoutException>(() => running.Result)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<TimeoutException>(() => waiting.Result);
        try
        {
            await outside; // it may have had the room that the others left
        }
        catch (TimeoutException late)
        {
            Assert.Contains("had no room", late.Message, StringComparison.Ordinal);
        }

        Assert.Equal(2, pool.Statistics.Failed);
    }

    [Fact]
    public async Task AFailure_IsTheRunsOwn()
    {
        var graph = SmallModels.Build("mlp");
        await using var pool = new ExecutorPool(graph, 5);
        var bindings = new Dictionary<string, Tensor>(MockTensors.For(graph, 5, 1), StringComparer.Ordinal);
        var good = pool.Submit(new Dictionary<string, Tensor>(bindings, StringComparer.Ordinal));
        bindings.Remove(graph.Parameters[0].Name);
        var bad = pool.Submit(bindings);
        Assert.Contains(graph.Parameters[0].Name,
            (await Assert.ThrowsAsync<GraphException>(() => bad.Result)).Message, StringComparison.Ordinal);
        Assert.Equal(ExecutionStatus.Failed, bad.Status);
        await good;
        await pool.Submit(MockTensors.For(graph, 5, 2));
        Assert.Equal((2, 1), (pool.Statistics.Done, pool.Statistics.Failed));
    }

    [Fact]
    public async Task ABatch_IsLargerThanTheQueue_InOrder_AndOneFailureLeavesTheOthers()
    {
        var graph = SmallModels.Build("mlp");
        await using var pool = new ExecutorPool(graph, 5, new ExecutorPoolOptions { Executors = 2, WaitingMax = 3 });
        IReadOnlyDictionary<string, Tensor>[] items =
            [.. Enumerable.Range(0, 40).Select(i => MockTensors.For(graph, 5, (ulong)i))];
        var outputs = await pool.SubmitBatch(items);
        for (var i = 0; i < items.Length; i++) AssertSame(new GraphExecutor(graph, 5).Run(items[i]), outputs[i]);

        items[7] = new Dictionary<string, Tensor>();
        var batch = pool.SubmitBatch(items);
        await Assert.ThrowsAsync<GraphException>(() => batch.Results);
        Assert.Equal(40, batch.Ended);
        Assert.Equal([7], Enumerable.Range(0, 40).Where(i => !batch.Items[i].IsCompletedSuccessfully));
    }

    [Fact]
    public async Task ABatch_IsCancelledWhole()
    {
        var gate = new GatedExecutor(Echo, 1);
        await using var pool = new ExecutorPool([gate], new ExecutorPoolOptions { WaitingMax = 2 });
        var batch = pool.SubmitBatch(
            [.. Enumerable.Range(0, 10).Select(_ => X(Tensor.Zeros(DType.Float32, 1)))]);
        await gate.BegunAsync();
        batch.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => batch.Results);
        Assert.Equal(10, batch.Ended);
    }

    [Fact]
    public async Task AStream_KeepsItsOrder_AndReadsNoFurtherAheadThanItMay()
    {
        var graph = SmallModels.Build("mlp");
        await using var pool = new ExecutorPool(graph, 5, new ExecutorPoolOptions { Executors = 3 });
        var (read, taken) = (0, 0);
        async IAsyncEnumerable<IReadOnlyDictionary<string, Tensor>> Source()
        {
            for (var i = 0; i < 30; i++)
            {
                // What was read is under way, was taken, or is this one.
                Assert.InRange(Interlocked.Increment(ref read) - Volatile.Read(ref taken), 0, 4 + 2);
                yield return MockTensors.For(graph, 5, (ulong)i);
                await Task.Yield();
            }
        }

        await foreach (var outputs in pool.StreamAsync(Source(), ahead: 4, cancel: Ends))
        {
            AssertSame(new GraphExecutor(graph, 5).Run(MockTensors.For(graph, 5, (ulong)taken)), outputs);
            Interlocked.Increment(ref taken);
        }

        Assert.Equal(30, taken);
    }

    [Fact]
    public async Task AStream_GivesWhatIsDone_AlthoughItsSourceIsSlow_AndCancelsTheRestWhenItIsLeft()
    {
        var gate = new GatedExecutor(Echo, 1);
        await using var pool = new ExecutorPool([gate]);
        var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        async IAsyncEnumerable<IReadOnlyDictionary<string, Tensor>> Source()
        {
            yield return X(Tensor.Zeros(DType.Float32, 1));
            await more.Task;
            for (var i = 0; i < 5; i++) yield return X(Tensor.Zeros(DType.Float32, 1));
        }

        gate.End();
        var taken = 0;
        await foreach (var _ in pool.StreamAsync(Source(), ahead: 3, cancel: Ends))
        {
            if (++taken == 2) break;
            more.SetResult();
            gate.End(); // the second; the third and fourth are under way when the stream is left
        }

        Assert.Equal(0, pool.Statistics.Waiting);
        Assert.Equal(pool.Statistics.Submitted, pool.Statistics.Done + pool.Statistics.Cancelled);
    }

    [Fact]
    public async Task Closing_CancelsWhatIsLeft_AndRefusesTheNext()
    {
        var gate = new GatedExecutor(Echo, 1);
        var pool = new ExecutorPool([gate]);
        var running = pool.Submit(X(Tensor.Zeros(DType.Float32, 1)));
        await gate.BegunAsync();
        var waiting = pool.Submit(X(Tensor.Zeros(DType.Float32, 1)));
        await pool.DisposeAsync();
        await pool.DisposeAsync();
        Assert.Equal((ExecutionStatus.Cancelled, ExecutionStatus.Cancelled), (running.Status, waiting.Status));
        Assert.Throws<ObjectDisposedException>(() => pool.Submit(X(Tensor.Zeros(DType.Float32, 1))));
    }

    [Fact]
    public void ExecutorsOfUnlikeGraphs_AreRefused()
    {
        Assert.Throws<ArgumentException>(
            () => new ExecutorPool([new GatedExecutor(Echo, 1), new GatedExecutor(Echo, 2)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ExecutorPool([]));
    }

    // DIST-13: background workers, awaitable results, a queue with priorities; the sum knows no order of arrival.
    [Fact]
    public async Task GradientsInTheBackground_AreThoseOfTheForeground_AndTheirSumHasNoOrderOfArrival()
    {
        var graph = SmallModels.Build("mlp");
        var all = MockTensors.For(graph, 5, 1);
        var parameters = all.Where(b => graph.Parameters.Any(p => p.Name == b.Key)).ToDictionary();
        IReadOnlyDictionary<string, Tensor>[] parts = [.. Enumerable.Range(0, 12).Select(i =>
            MockTensors.For(graph, 5, (ulong)i).Where(b => !parameters.ContainsKey(b.Key)).ToDictionary())];
        LossAndGradients? expected = null;
        foreach (var executors in (int[])[1, 2, 5])
        {
            await using var engine = new GradientEngine(graph, 5, new ExecutorPoolOptions { Executors = executors });
            var sum = await engine.SumAsync(parameters, parts, cancel: Ends);
            expected ??= sum;
            Assert.Equal(parameters.Keys.Order(), sum.Gradients.Keys.Order());
            Assert.Equal(expected.Loss.ToArray<float>(), sum.Loss.ToArray<float>());
            AssertSame(expected.Gradients, sum.Gradients);
            Assert.Equal(12, engine.Statistics.Done);
        }

        // One part twice is twice its gradient: the sum is one.
        await using var one = new GradientEngine(graph, 5);
        var single = await one.ComputeAsync(all, priority: 3, Ends);
        var inputs = all.Where(b => !parameters.ContainsKey(b.Key)).ToDictionary();
        var twice = await one.SumAsync(parameters, [inputs, inputs], cancel: Ends);
        foreach (var (name, gradient) in single.Gradients)
            Assert.Equal(gradient.ToArray<float>().Select(g => 2 * g), twice.Gradients[name].ToArray<float>());
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => one.ComputeAsync(all, cancel: new CancellationToken(canceled: true)));
        await Assert.ThrowsAsync<GraphException>(() => one.SumAsync(parameters, [inputs, parameters], cancel: Ends));
    }

    private static readonly Graph Echo = MakeEcho();

    private static Graph MakeEcho()
    {
        var b = new GraphBuilder();
        b.Output("y", b.Input("x", DType.Float32, 1).Negate());
        return b.Build();
    }

    private static Dictionary<string, Tensor> X(Tensor x) => new(StringComparer.Ordinal) { ["x"] = x };

    private static void AssertSame(
        IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (name, tensor) in expected)
            Assert.Equal(
                tensor.ToArray<float>().Select(BitConverter.SingleToInt32Bits),
                actual[name].ToArray<float>().Select(BitConverter.SingleToInt32Bits));
    }
}
