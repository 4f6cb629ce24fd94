namespace Convoy.Coordinator.Api;

/// <summary>GET /api/steps?from=N: rows of committed steps, oldest first; also the lines of metrics.jsonl.</summary>
public sealed record StepsPage
{
    public IReadOnlyList<StepView> Rows { get; init; } = [];
    /// <summary>Ask from here next.</summary>
    public long Next { get; init; }
}

/// <summary>One committed step; there is exactly one row for each (S5).</summary>
public sealed record StepView
{
    public long Step { get; init; }
    public double Epoch { get; init; }
    public long Generation { get; init; }
    public int Workers { get; init; }
    public double Loss { get; init; }
    public double GradientNorm { get; init; }
    public double LearningRate { get; init; }
    public long Samples { get; init; }
    public long ComputeUs { get; init; }
    public long SyncUs { get; init; }
    public long ApplyUs { get; init; }
    public long TotalUs { get; init; }
    /// <summary>Before the step: the state that it starts from was to be saved (the wait for room, the copy).</summary>
    public long SaveUs { get; init; }
    public string Fingerprint { get; init; } = "";
    public bool Skipped { get; init; }
}
