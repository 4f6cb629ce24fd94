using Convoy.Shared.Threading;

namespace Convoy.Shared.Tests.Threading;

/// <summary>PAR-08: one order of locks, kept on every run; each wait for one has an end.</summary>
public sealed class OrderedLockTests
{
    [Fact]
    public void LaterRanks_GoInsideEarlierOnes_AndNothingIsHeldAfterwards()
    {
        OrderedLock[] locks = [.. Enum.GetValues<LockRank>().Select(r => new OrderedLock(r.ToString(), r))];
        for (var round = 0; round < 2; round++)
        {
            using (locks[0].Enter())
            using (locks[1].Enter())
            using (locks[2].Enter())
            using (locks[3].Enter())
            {
            }

            using (locks[3].Enter())
            {
            }
        }
    }

    [Theory]
    [InlineData(LockRank.Leaf, LockRank.Service)]
    [InlineData(LockRank.Record, LockRank.Record)]
    public void TheOtherWayRound_IsAnErrorAtOnce_ThatNamesBoth(LockRank outer, LockRank inner)
    {
        var (first, second) = (new OrderedLock("the first", outer), new OrderedLock("the second", inner));
        using (first.Enter())
        {
            var error = Assert.Throws<InvariantException>(() => second.Enter().Dispose());
            Assert.Equal($"LO-1 the lock of the second ({inner}) is taken inside that of the first ({outer})",
                error.Message);
            Assert.Throws<InvariantException>(() => first.Enter().Dispose());
        }

        using (second.Enter())
        {
        }
    }

    [Fact]
    public async Task AWait_HasAnEnd_ThatNamesTheLockAndItsHolder()
    {
        var ordered = new OrderedLock("the desk", LockRank.Service);
        using var held = new SemaphoreSlim(0);
        using var mayEnd = new SemaphoreSlim(0);
        var holder = 0;
        var holding = Task.Factory.StartNew(
            () =>
            {
                using (ordered.Enter())
                {
                    holder = Environment.CurrentManagedThreadId;
                    held.Release();
                    mayEnd.Wait(TestContext.Current.CancellationToken);
                }
            },
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await held.WaitAsync(TestContext.Current.CancellationToken);
        var error = Assert.Throws<LockTimeoutException>(() => ordered.Enter(TimeSpan.FromMilliseconds(1)).Dispose());
        Assert.Equal($"the lock of the desk was not free within 0.001 s; thread {holder} holds it", error.Message);
        mayEnd.Release();
        await holding;
        using (ordered.Enter())
        {
        }
    }

    // Threads that take any of many locks in order never stand still, and each sees what the others left.
    [Fact]
    public async Task ManyThreadsInOrder_AllEnd()
    {
        OrderedLock[] locks = [.. Enum.GetValues<LockRank>().Select(r => new OrderedLock(r.ToString(), r))];
        var counts = new int[locks.Length];
        const int rounds = 20_000;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            for (var i = 0; i < rounds; i++)
            {
                var (a, b) = (i % locks.Length, (i + worker) % locks.Length);
                using (locks[Math.Min(a, b)].Enter())
                {
                    counts[Math.Min(a, b)]++;
                    if (a == b) continue;
                    using (locks[Math.Max(a, b)].Enter()) counts[Math.Max(a, b)]++;
                }
            }
        })));
        Assert.Equal(Enumerable.Range(0, 4).Sum(worker => worker == 0 ? rounds : 2 * rounds), counts.Sum());
    }
}
