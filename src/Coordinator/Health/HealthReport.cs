namespace Convoy.Coordinator.Health;

/// <summary>One thing that was looked at.</summary>
/// <param name="Area">memory, graph, gradients, performance or cluster.</param>
/// <param name="Name">What was looked at, such as gradient norm.</param>
/// <param name="Penalty">Points that it costs of 100; 0: as it should be.</param>
/// <param name="Found">What was seen, with numbers and units.</param>
/// <param name="Advice">What to do; empty without a penalty.</param>
public sealed record HealthFinding(string Area, string Name, int Penalty, string Found, string Advice);

/// <summary>How a run is doing (PROD-01): 100 points less the penalties, never below 0.</summary>
public sealed record HealthReport(IReadOnlyList<HealthFinding> Findings)
{
    private const int HealthyMin = 90;
    private const int DegradedMin = 60;

    /// <summary>0 to 100.</summary>
    public int Score => Math.Max(0, 100 - Findings.Sum(finding => finding.Penalty));

    /// <summary>healthy, degraded or ill.</summary>
    public string Verdict => Score >= HealthyMin ? "healthy" : Score >= DegradedMin ? "degraded" : "ill";
}
