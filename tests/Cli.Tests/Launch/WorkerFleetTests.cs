using Convoy.Cli.Launch;
using Convoy.Shared;

namespace Convoy.Cli.Tests.Launch;

public class WorkerFleetTests
{
    private sealed class FakeMember(string name) : IFleetMember
    {
        private readonly TaskCompletionSource<int> _exited = new();
        public string Name { get; } = name;
        public Task<int> Exited => _exited.Task;
        public string LastLines() => "last words";
        public void Kill() => End(137);
        public void End(int code) => _exited.TrySetResult(code);
        public void Dispose()
        {
        }
    }

    private readonly List<FakeMember> _started = [];
    private readonly WorkerFleet _fleet;

    public WorkerFleetTests()
    {
        _fleet = new WorkerFleet(Start, wanted: 2);
        _fleet.Fill();
    }

    private FakeMember Start(string name)
    {
        var member = new FakeMember(name);
        _started.Add(member);
        return member;
    }

    private IEnumerable<string> Names => _started.Select(member => member.Name);

    // R6: logs and local state are keyed by the name, so a replacement has it again.
    [Fact]
    public void LostWorkerIsReplacedUnderItsName()
    {
        var lost = new List<LostWorker>();
        _fleet.Lost += lost.Add;

        _started[1].End(137);

        Assert.Equal(["w0", "w1", "w1"], Names);
        Assert.Equal(new LostWorker("w1", 137, "last words", Replaced: true), Assert.Single(lost));
        Assert.Equal(1, _fleet.Replacements);
    }

    // R11: what is wrong is where every worker writes, or the job is over: the run's last line says so, once.
    [Theory]
    [InlineData(ExitCode.Storage)]
    [InlineData(ExitCode.JobFailed)]
    [InlineData(ExitCode.BadData)]
    public void WorkerWhoseSuccessorWouldEndTheSameWayIsNotReplaced(ExitCode code)
    {
        var lost = new List<LostWorker>();
        _fleet.Lost += lost.Add;

        _started[0].End((int)code);
        _started[1].End((int)code);

        Assert.Equal(["w0", "w1"], Names);
        Assert.Equal(0, _fleet.Replacements);
        Assert.Equal([false, false], lost.Select(l => l.Replaced));
    }

    [Theory]
    [InlineData(ExitCode.Finished)]
    [InlineData(ExitCode.Drained)]
    [InlineData(ExitCode.DrainedByCheckpoint)]
    public void WorkerThatLeftInGoodOrderIsNotReplaced(ExitCode code)
    {
        _started[0].End((int)code);

        Assert.Equal(["w0", "w1"], Names);
        Assert.Equal(0, _fleet.Replacements);
    }

    [Fact]
    public void ScalingUpStartsTheFreeNames()
    {
        _fleet.Want(4);
        Assert.Equal(["w0", "w1", "w2", "w3"], Names);
    }

    // R25: scaling is not failing, and a released worker is not missed.
    [Fact]
    public void ScalingDownWaitsForTheReleasedOne()
    {
        _fleet.Want(1);
        _started[0].End((int)ExitCode.Drained);
        Assert.Equal(["w0", "w1"], Names);
        Assert.Equal(0, _fleet.Replacements);

        _started[1].End(137);
        Assert.Equal(["w0", "w1", "w1"], Names);
    }

    [Fact]
    public void WorkerThatCannotLiveIsNotStartedForEver()
    {
        for (var i = 0; i < _started.Count; i++) _started[i].End(1);
        Assert.InRange(_started.Count, WorkerFleet.ReplacementsMax, WorkerFleet.ReplacementsMax + 2);
    }

    [Fact]
    public async Task StoppingEndsEverybodyAndReplacesNobody()
    {
        await _fleet.StopAsync(TimeSpan.Zero, TimeProvider.System).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["w0", "w1"], Names);
        Assert.All(_started, member => Assert.True(member.Exited.IsCompleted));
    }
}
