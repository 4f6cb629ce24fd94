namespace Convoy.Cli.Terminal;

/// <summary>The last line of <c>train --json</c>: these fields in this order, and no others.</summary>
internal sealed record TrainResult(
    string Job,
    long Steps,
    double Epochs,
    int Workers,
    long Generations,
    double? FinalLoss,
    IReadOnlyDictionary<string, double> Metrics,
    double SamplesPerSecond,
    double? StartupSeconds,
    string? WeightsSha256,
    string? Checkpoint,
    string Outcome);
