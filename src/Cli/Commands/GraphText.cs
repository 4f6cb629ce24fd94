using System.Globalization;
using Convoy.Autodiff.Execution;
using Convoy.Worker.Training;

namespace Convoy.Cli.Commands;

/// <summary>Reports about a graph as tables for people.</summary>
internal static class GraphText
{
    public static IEnumerable<string> Passes(CompileReport report, double compileMs)
    {
        yield return "pass                          nodes          operations a sample";
        foreach (var pass in report.Passes)
        {
            yield return Line(
                $"{pass.Pass,-26} {pass.NodesBefore,6} > {pass.NodesAfter,-6} {pass.FlopsBefore} > {pass.FlopsAfter}")
                + (pass.BytesSaved > 0 ? $", {Bytes(pass.BytesSaved)} less to move" : "")
                + (pass.OperatorsFused > 0 ? Line($", {pass.OperatorsFused} operators fused") : "");
            foreach (var rule in pass.Rules) yield return Line($"    {rule.Rule,-34} {rule.Count} times");
        }

        var (fusion, again) = (report.Fusion, report.Recompute);
        yield return Line($"element-wise fusion: {fusion.Operators} operators in {fusion.Groups}, {Bytes(fusion.BytesSaved)} of traffic less");
        yield return again.Nodes == 0 ? Line($"recompute {again.Strategy}: nothing is computed again")
            : Line($"recompute {again.Strategy} ({again.Chosen}): {again.Nodes} operators again, {again.ExtraShare:0.0%} more operations, ")
                + Line($"{Bytes(again.PeakBytesBefore)} > {Bytes(again.PeakBytes)}");
        if (again.Strategy != "none")
        {
            yield return "  what else could be computed again     memory   more operations";
            foreach (var choice in report.RecomputeFront())
                yield return Line($"    {choice.Chosen,-30} {Bytes(choice.PeakBytes),12}   {choice.ExtraShare,8:0.0%}");
        }

        yield return Plan("memory of a training step", report.Training);
        yield return Plan("memory of an evaluation", report.Evaluation);
        yield return Line($"compiled in {compileMs:0} ms");
    }

    public static IEnumerable<string> Memory(MemoryPrediction memory)
    {
        yield return Line($"one of {memory.Workers} workers, {memory.Rows} samples of a step");
        foreach (var part in memory.Parts) yield return Line($"  {part.Name,-34} {Bytes(part.Bytes),10}");
        yield return Line($"  {"peak",-34} {Bytes(memory.PeakBytes),10}");
        yield return "on top of it while workers join, at most";
        foreach (var part in memory.JoinParts) yield return Line($"  {part.Name,-34} {Bytes(part.Bytes),10}");
    }

    private static string Plan(string what, MemoryStatistics plan) => Line(
        $"{what}: {Bytes(plan.PeakBytes)} (live at most {Bytes(plan.LiveBytes)}, side by side {Bytes(plan.BytesWithoutReuse)}, ")
        + Line($"{plan.ReuseRatio:0%} reused), {plan.Values} values, {plan.InPlace} in place");

    private static string Bytes(long bytes) =>
        bytes < 1 << 20 ? Line($"{bytes / 1024.0:0.0} KB") : Line($"{bytes / (double)(1 << 20):0.0} MB");

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
