namespace Convoy.Shared.Ids;

/// <summary>Stable number of a worker inside one cluster; survives restarts of the process behind it (R6).</summary>
public readonly record struct WorkerId(int Value) : IComparable<WorkerId>
{
    public int CompareTo(WorkerId other) => Value.CompareTo(other.Value);
    public override string ToString() => $"w{Value}";
}

/// <summary>
/// Random number of one process start. A restarted process is another incarnation of the same worker.
/// </summary>
public readonly record struct Incarnation(ulong Value)
{
    public override string ToString() => Value.ToString("x16");
}

/// <summary>Number of a membership. Comes from the journal, only grows, is never used twice (decision 6).</summary>
public readonly record struct Generation(long Value) : IComparable<Generation>
{
    public static readonly Generation None;
    public Generation Next => new(Value + 1);
    public int CompareTo(Generation other) => Value.CompareTo(other.Value);
    public static bool operator <(Generation a, Generation b) => a.Value < b.Value;
    public static bool operator >(Generation a, Generation b) => a.Value > b.Value;
    public static bool operator <=(Generation a, Generation b) => a.Value <= b.Value;
    public static bool operator >=(Generation a, Generation b) => a.Value >= b.Value;
    public override string ToString() => $"g{Value}";
}

/// <summary>
/// Number of committed updates: state <c>t</c> is the state after <c>t</c> updates, step <c>t</c> makes it.
/// </summary>
public readonly record struct StepNumber(long Value) : IComparable<StepNumber>
{
    public static readonly StepNumber Zero;
    public StepNumber Next => new(Value + 1);
    public int CompareTo(StepNumber other) => Value.CompareTo(other.Value);
    public static bool operator <(StepNumber a, StepNumber b) => a.Value < b.Value;
    public static bool operator >(StepNumber a, StepNumber b) => a.Value > b.Value;
    public static bool operator <=(StepNumber a, StepNumber b) => a.Value <= b.Value;
    public static bool operator >=(StepNumber a, StepNumber b) => a.Value >= b.Value;
    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Fencing token of a coordinator's lease. A worker obeys only the highest it has seen.</summary>
public readonly record struct LeaderToken(long Value) : IComparable<LeaderToken>
{
    public int CompareTo(LeaderToken other) => Value.CompareTo(other.Value);
    public override string ToString() => $"k{Value}";
}

/// <summary>
/// Link of the fingerprint chain: equal values mean equal histories of reduced gradients (decision 4).
/// </summary>
public readonly record struct Fingerprint(ulong Value)
{
    public override string ToString() => Value.ToString("x16");
}
