namespace Convoy.Shared.Time;

/// <summary>
/// A point on a monotonic clock, in microseconds since an origin of the clock's own. Protocols get it as an argument
/// and never read a clock (decision 3); shells make it with <see cref="MonotonicClock"/>.
/// </summary>
public readonly record struct Instant(long Microseconds) : IComparable<Instant>
{
    public static readonly Instant Zero;
    public static readonly Instant Never = new(long.MaxValue);
    public int CompareTo(Instant other) => Microseconds.CompareTo(other.Microseconds);
    public static Instant operator +(Instant a, TimeSpan b) => new(a.Microseconds + (long)b.TotalMicroseconds);
    public static TimeSpan operator -(Instant a, Instant b) =>
        TimeSpan.FromMicroseconds(a.Microseconds - b.Microseconds);
    public static bool operator <(Instant a, Instant b) => a.Microseconds < b.Microseconds;
    public static bool operator >(Instant a, Instant b) => a.Microseconds > b.Microseconds;
    public static bool operator <=(Instant a, Instant b) => a.Microseconds <= b.Microseconds;
    public static bool operator >=(Instant a, Instant b) => a.Microseconds >= b.Microseconds;
}

/// <summary>Turns any <see cref="TimeProvider"/> into instants.</summary>
public sealed class MonotonicClock(TimeProvider time)
{
    private readonly long _origin = time.GetTimestamp();
    public Instant Now => new((long)time.GetElapsedTime(_origin).TotalMicroseconds);
}
