using System.Globalization;

namespace Convoy.Coordinator.Membership;

/// <summary>
/// Why there is no progress, or why a worker is no member; the texts go to the log and to status (R23).
/// </summary>
internal abstract record WaitReason
{
    public abstract override string ToString();

    protected static string Seconds(TimeSpan time) =>
        time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
}

internal sealed record WaitingForJob : WaitReason
{
    public override string ToString() => "no job: submit one";
}

internal sealed record WaitingForMinimum(int Have, int Need) : WaitReason
{
    public override string ToString() => $"{Have} of at least {Need} workers are ready (elastic.min)";
}

internal sealed record WaitingForWorkers(int Have, int Expected) : WaitReason
{
    public override string ToString() => $"{Have} of {Expected} expected workers are ready";
}

internal sealed record WaitingForPrepare(string Names) : WaitReason
{
    public override string ToString() => $"{Names} prepare data and graph";
}

internal sealed record Debouncing(string What, TimeSpan Wait) : WaitReason
{
    public override string ToString() => $"{What} waits {Seconds(Wait)} so that changes come together";
}

internal sealed record Quarantined(string Name, int Losses, TimeSpan Length) : WaitReason
{
    public override string ToString() =>
        $"{Name} was lost {Losses} times and waits {Seconds(Length)} before it may join";
}

internal sealed record FencingWaits(string Silent) : WaitReason
{
    public override string ToString() => $"the generation change waits for {Silent} to stop";
}

internal sealed record AligningWaits(string Silent) : WaitReason
{
    public override string ToString() => $"the new generation waits for {Silent} to reach its first state";
}

internal sealed record RecoveringWaits(string Silent) : WaitReason
{
    public override string ToString() => Silent.Length == 0 ? "took over: members still have to say that they train"
        : $"took over: {Silent} of the running generation did not come yet";
}

internal sealed record Infeasible(string Constraint) : WaitReason
{
    public override string ToString() => Constraint;
}

internal sealed record Spare(string Names, int Max) : WaitReason
{
    public override string ToString() => $"{Names} stay spare: {Max} members are enough";
}

/// <summary>The figures change all the time; it is another reason only when the learner does something else.</summary>
internal sealed record WaitingForLearner(string Name, bool Copies, long Lag, long BytesLeft, long EtaMs) : WaitReason
{
    public bool Equals(WaitingForLearner? other) => other is not null && Name == other.Name && Copies == other.Copies;

    public override int GetHashCode() => Name.Length;

    public override string ToString() =>
        $"{Name} {(Copies ? "copies the state" : "applies the steps since")}: {Lag} steps behind, "
        + (BytesLeft / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " MB left"
        + (EtaMs > 0 ? $", about {Seconds(TimeSpan.FromMilliseconds(EtaMs))}" : "");
}

internal sealed record PausedBy(string By) : WaitReason
{
    public override string ToString() => $"paused: {By}";
}

internal sealed record WaitingForState(string Names, string Newest) : WaitReason
{
    public override string ToString() => $"{Names} may come back with state {Newest}, which nobody else holds";
}
