using System.Runtime.CompilerServices;

namespace Convoy.Kernels;

/// <summary>A kernel's work, cut into parts that write different outputs.</summary>
internal interface ITeamWork
{
    /// <summary>Computes part <paramref name="part"/> of <paramref name="parts"/>.</summary>
    void Run(int part, int parts);
}

/// <summary>
/// Threads that compute each kernel together. A thread enters a team, and the kernels that it calls are cut into parts:
/// rows, columns, samples, ranges of elements. Every output element is computed whole inside one part, in the order of
/// the kernel contract (K-1 to K-3), so the number of threads never shows in the bits. There is no queue and no
/// stealing: part p of P is always the same range. Threads that wait spin for some microseconds and then sleep.
/// </summary>
public sealed unsafe class ThreadTeam : IDisposable
{
    public const int ThreadsMax = 256;

    // About 30 us: the distance of two kernels of a step, not the wait for other machines between two steps.
    private const int SpinRounds = 100;

    // Far beyond what a part takes between two meetings; a part that never comes is a broken kernel.
    private static readonly TimeSpan MeetingTimeout = TimeSpan.FromMinutes(1);

    [ThreadStatic]
    private static ThreadTeam? _current;

    // The team whose part this thread computes.
    [ThreadStatic]
    private static ThreadTeam? _within;

    private readonly ThreadTeamOptions _options;
    private readonly Member[] _members;
    private readonly object _hall = new();
    // Every part that arrives writes the one, and those that wait look at the other; the caller waits for the third.
    private PaddedInt _arrived;
    private PaddedInt _meeting;
    private PaddedInt _pending;
    private int _sleepers;
    private delegate*<void*, int, int, void> _run;
    private void* _work;
    private int _parts;
    private int _entered;
    private volatile bool _stopping;
    private Exception? _failure;

    /// <param name="threads">Threads with the caller's, 1 to <see cref="ThreadsMax"/>.</param>
    /// <param name="options">When kernels are divided; null: <see cref="ThreadTeamOptions.Default"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public ThreadTeam(int threads, ThreadTeamOptions? options = null)
    {
        _options = options ?? ThreadTeamOptions.Default;
        _options.Check();
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(threads, ThreadsMax);
        _members = [.. Enumerable.Range(1, threads - 1).Select(part => new Member(this, part))];
    }

    public int Threads => _members.Length + 1;

    /// <summary>
    /// From now on, the kernels that this thread calls are computed by the team, until the scope ends.
    /// </summary>
    /// <exception cref="InvalidOperationException">A thread is in the team already: it serves one at a
    /// time.</exception>
    public Scope Enter()
    {
        if (Interlocked.Exchange(ref _entered, 1) == 1)
            throw new InvalidOperationException("the team serves another thread; end its scope first");
        var outer = _current;
        _current = this;
        return new Scope(this, outer);
    }

    /// <summary>Ends the threads. No kernel may run.</summary>
    public void Dispose()
    {
        _stopping = true;
        foreach (var member in _members) member.Begin();
        foreach (var member in _members) member.Join();
    }

    /// <summary>
    /// How many parts a kernel is worth: 1 outside of a team. A part should take 40 us: handing it over takes 1 to 5,
    /// and far more where another process has the core.
    /// </summary>
    internal static int Parts(long cost, long costPerPart) =>
        _current is { } team ? Parts(cost, costPerPart, team.Threads) : 1;

    /// <summary>The same for a kernel whose cost is its elements, within what the team's options say.</summary>
    internal static int ElementParts(long elements, int elementsPerPart)
    {
        if (_current is not { } team) return 1;
        var part = team._options.ElementsPerPart ?? elementsPerPart;
        return elements < (team._options.ElementsMin ?? 2L * part)
            ? 1 : (int)Math.Clamp(elements / part, 1, team.Threads);
    }

    /// <summary>The same for a team of so many threads.</summary>
    internal static int Parts(long cost, long costPerPart, int threads) =>
        cost >= 2 * costPerPart ? (int)Math.Min(cost / costPerPart, threads) : 1;

    /// <summary>Range of part <paramref name="part"/>, cut at multiples of <paramref name="unit"/>.</summary>
    internal static (int From, int Count) Range(int count, int part, int parts, int unit = 1)
    {
        var units = ((long)count + unit - 1) / unit;
        var from = (int)Math.Min(units * part / parts * unit, count);
        var end = (int)Math.Min(units * (part + 1) / parts * unit, count);
        return (from, end - from);
    }

    /// <summary>Runs all parts, the first one here, and returns when the last one is done.</summary>
    internal static void Run<TWork>(ref TWork work, int parts) where TWork : struct, ITeamWork, allows ref struct
    {
        if (_current is not { } team || parts == 1)
        {
            for (var part = 0; part < parts; part++) work.Run(part, parts);
            return;
        }

        // A kernel inside a part is computed by the thread that has the part.
        _current = null;
        _within = team;
        try
        {
            // The work lies on this stack, which outlives the call: all parts are done before it returns.
            team.Run(&RunPart<TWork>, Unsafe.AsPointer(ref work), parts);
        }
        finally
        {
            _current = team;
            _within = null;
        }
    }

    /// <summary>
    /// Called by every part as often as by the others: returns when all parts are there, and what each wrote before is
    /// then seen by all. Parts run at the same time, one to a thread, so nobody waits for a part that has not begun.
    /// </summary>
    /// <param name="what">What is waited for, for the message when a part does not come within a minute.</param>
    /// <exception cref="TimeoutException">A part did not come.</exception>
    /// <exception cref="InvalidOperationException">A part failed before it came.</exception>
    internal static void Meet(string what) => _within?.MeetAll(what);

    private void MeetAll(string what)
    {
        var meeting = Volatile.Read(ref _meeting.Value);
        if (Interlocked.Increment(ref _arrived.Value) == _parts)
        {
            _arrived.Value = 0;
            // A full fence between the new number and the look for sleepers, as between the mark of a sleeper and its
            // look at the number: one of the two sees the other.
            Interlocked.Increment(ref _meeting.Value);
            if (Volatile.Read(ref _sleepers) > 0)
                lock (_hall) Monitor.PulseAll(_hall);
            return;
        }

        for (var round = 0; round < SpinRounds; round++)
        {
            if (Volatile.Read(ref _meeting.Value) != meeting) return;
            Thread.SpinWait(30);
        }

        lock (_hall)
        {
            Interlocked.Increment(ref _sleepers);
            while (Volatile.Read(ref _meeting.Value) == meeting && Volatile.Read(ref _failure) is null)
                if (!Monitor.Wait(_hall, MeetingTimeout)) break;
            Interlocked.Decrement(ref _sleepers);
        }

        if (Volatile.Read(ref _meeting.Value) != meeting) return;
        throw Volatile.Read(ref _failure) is { } failure
            ? new InvalidOperationException($"{what}: another part failed: {failure.Message}")
            : new TimeoutException(
                $"{what}: {Volatile.Read(ref _arrived.Value)} of {_parts} parts came to the meeting");
    }

    private static void RunPart<TWork>(void* work, int part, int parts)
        where TWork : struct, ITeamWork, allows ref struct => Unsafe.AsRef<TWork>(work).Run(part, parts);

    private void Run(delegate*<void*, int, int, void> run, void* work, int parts)
    {
        _run = run;
        _work = work;
        _parts = parts;
        _failure = null;
        _arrived.Value = 0;
        Volatile.Write(ref _pending.Value, parts - 1);
        for (var i = 0; i < parts - 1; i++) _members[i].Begin();
        RunOne(0);
        var wait = default(SpinWait);
        while (Volatile.Read(ref _pending.Value) > 0) wait.SpinOnce(sleep1Threshold: -1);
        if (_failure is { } failure) throw new AggregateException(failure);
    }

    private void RunOne(int part)
    {
        try
        {
            _run(_work, part, _parts);
        }
        catch (Exception failure)
        {
            // Told where the kernel was called; the other parts must be done before its memory is given up.
            // The first failure is the cause: parts that wait for this one fail after it.
            Interlocked.CompareExchange(ref _failure, failure, null);
            lock (_hall) Monitor.PulseAll(_hall);
        }
    }

    /// <summary>Ends the membership of the thread that entered.</summary>
    public readonly ref struct Scope
    {
        private readonly ThreadTeam _team;
        private readonly ThreadTeam? _outer;

        internal Scope(ThreadTeam team, ThreadTeam? outer) => (_team, _outer) = (team, outer);

        public void Dispose()
        {
            _current = _outer;
            Volatile.Write(ref _team._entered, 0);
        }
    }

    private sealed class Member
    {
        private readonly ThreadTeam _team;
        private readonly int _part;
        private readonly Thread _thread;
        private readonly TurnGate _turns = new(SpinRounds);

        public Member(ThreadTeam team, int part)
        {
            (_team, _part) = (team, part);
            _thread = new Thread(Loop) { IsBackground = true, Name = $"kernels {part}" };
            _thread.Start();
        }

        public void Begin() => _turns.Give();

        public void Join() => _thread.Join();

        private void Loop()
        {
            _within = _team;
            for (var taken = 0; ; taken++)
            {
                _turns.Await(taken);
                if (_team._stopping) return;
                _team.RunOne(_part);
                Interlocked.Decrement(ref _team._pending.Value);
            }
        }
    }
}
