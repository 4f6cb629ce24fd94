using Convoy.Shared.Numerics;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim;

/// <summary>
/// Learning rates as functions of the step. The functions of k count steps from 0 and are the formulas of the field;
/// <see cref="RateAt"/> puts one behind a warm-up, with steps from 1 as jobs count them.
/// </summary>
public static class Schedule
{
    /// <summary>All courses there are, by their names in job files.</summary>
    public static readonly IReadOnlyList<string> Kinds =
        ["constant", "cosine", "step", "multi-step", "exponential", "linear", "polynomial", "cosine-restarts",
            "one-cycle"];

    /// <summary>
    /// Warm-up rises in a straight line to the base rate, which it reaches at step <c>warmup</c>; then the course
    /// runs to the last step, where courses that fall have fallen to floor x base.
    /// </summary>
    public static double RateAt(ScheduleSpec spec, double baseRate, long step, long totalSteps)
    {
        if (step < spec.Warmup) return baseRate * step / spec.Warmup;
        var (k, length) = (step - Math.Max(spec.Warmup, 1), totalSteps - Math.Max(spec.Warmup, 1));
        var lowest = baseRate * spec.Floor;
        return spec.Kind switch
        {
            "constant" => baseRate,
            "cosine" => Cosine(baseRate, lowest, k, length),
            "step" => Step(baseRate, k, spec.Every, spec.Factor),
            "multi-step" => MultiStep(baseRate, k, spec.Milestones, spec.Factor),
            "exponential" => Exponential(baseRate, k, spec.Factor),
            "linear" => Linear(baseRate, k, length, 1, spec.Floor),
            "polynomial" => lowest + Polynomial(baseRate - lowest, k, length, spec.Factor),
            "cosine-restarts" => CosineRestarts(baseRate, lowest, k, spec.Every, spec.Factor),
            "one-cycle" => OneCycle(baseRate, k, length + 1, threePhase: spec.ThreePhase),
            _ => throw new UserException(
                ExitCode.BadJob, $"optimizer.schedule.kind \"{spec.Kind}\" is not {string.Join(", ", Kinds)}"),
        };
    }

    /// <summary>lowest + (base - lowest)(1 + cos(π·at/length))/2, and lowest after the end.</summary>
    public static double Cosine(double baseRate, double lowest, long at, long length) =>
        at >= length ? (length <= 0 ? baseRate : lowest)
        : lowest + ((baseRate - lowest) * (1 + PortableMath.Cos(Math.PI * at / length)) / 2);

    /// <summary>The cosine that goes on after its length, at least 1, up again and down.</summary>
    public static double CosineWave(double baseRate, double lowest, long k, long length) =>
        lowest + ((baseRate - lowest) * (1 + PortableMath.Cos(Math.PI * k / AtLeastOne(length, "cosine"))) / 2);

    /// <summary>base factor^floor(k / every), every at least 1.</summary>
    public static double Step(double baseRate, long k, long every, double factor) =>
        baseRate * PortableMath.Pow(factor, Math.Floor(k / AtLeastOne(every, "step")));

    /// <summary>base factor^(number of milestones up to k).</summary>
    public static double MultiStep(double baseRate, long k, IReadOnlyList<int> milestones, double factor)
    {
        var passed = 0;
        foreach (var milestone in milestones) passed += milestone <= k ? 1 : 0;
        return baseRate * PortableMath.Pow(factor, passed);
    }

    /// <summary>base factor^k.</summary>
    public static double Exponential(double baseRate, long k, double factor) => baseRate * PortableMath.Pow(factor, k);

    /// <summary>base times a factor that goes in a straight line from start to end over length steps.</summary>
    public static double Linear(double baseRate, long k, long length, double start, double end) =>
        baseRate * (length <= 0 ? end : start + ((end - start) * Math.Min(k, length) / length));

    /// <summary>base (1 - k / length)^power, 0 after the end.</summary>
    public static double Polynomial(double baseRate, long k, long length, double power) =>
        k >= length ? 0 : baseRate * PortableMath.Pow(1 - ((double)k / length), power);

    /// <summary>
    /// Cosines one after another; each is growth times as long as the one before (Loshchilov and Hutter 2017). The
    /// first has at least one step; a growth below 1 counts as 1.
    /// </summary>
    public static double CosineRestarts(double baseRate, double lowest, long k, double length, double growth)
    {
        double at = k;
        AtLeastOne(length, "restarts");
        while (at >= length)
        {
            at -= length;
            length *= Math.Max(growth, 1);
        }

        return lowest + ((baseRate - lowest) * (1 + PortableMath.Cos(Math.PI * at / length)) / 2);
    }

    /// <summary>
    /// From top / 25 by half a cosine to top over the first 30 percent of the steps, then down to 1/10,000 of the first
    /// rate (Smith and Topin 2018).
    /// </summary>
    /// <param name="top">The highest rate.</param>
    /// <param name="k">Steps before this one.</param>
    /// <param name="totalSteps">Steps of all of it.</param>
    /// <param name="rise">Share of the steps that go up.</param>
    /// <param name="divisor">top over the first rate.</param>
    /// <param name="lastDivisor">The first rate over the last.</param>
    /// <param name="straight">In straight lines instead of half cosines.</param>
    /// <param name="threePhase">Down to the first rate in as many steps as up, then to the last rate.</param>
    public static double OneCycle(
        double top, long k, long totalSteps, double rise = 0.3, double divisor = 25, double lastDivisor = 1e4,
        bool straight = false, bool threePhase = false)
    {
        var first = top / divisor;
        var peak = (rise * totalSteps) - 1;
        var end = totalSteps - 1;
        double Between(double from, double to, double share) =>
            straight ? from + ((to - from) * share) : to + ((from - to) / 2 * (1 + PortableMath.Cos(Math.PI * share)));
        // A rise of one step or less is over before it begins.
        if (k <= peak) return peak > 0 ? Between(first, top, k / peak) : top;
        if (threePhase)
        {
            var back = 2 * peak;
            if (k <= back) return Between(top, first, (k - peak) / peak);
            return Between(first, first / lastDivisor, Math.Min(1, (k - back) / (end - back)));
        }

        return Between(top, first / lastDivisor, Math.Min(1, (k - peak) / (end - peak)));
    }

    private static double AtLeastOne(double steps, string course) => steps >= 1 ? steps
        : throw new ArgumentException($"schedule {course}: a length is 1 step or more, not {steps}");
}

/// <summary>
/// Cuts the rate when a figure has not become better for some time. It has a state, so a job has no use for it.
/// </summary>
public sealed class PlateauSchedule(double baseRate, double factor = 0.1, int patience = 10, double threshold = 1e-4,
    double lowest = 0)
{
    private double _best = double.PositiveInfinity;
    private int _waited;

    /// <summary>The learning rate of the current period.</summary>
    public double Rate { get; private set; } = baseRate;

    /// <summary>Tells the figure of a period (smaller is better) and returns the rate of the next.</summary>
    public double Next(double figure)
    {
        if (figure < _best * (1 - threshold)) (_best, _waited) = (figure, 0);
        else if (++_waited > patience) (Rate, _waited) = (Math.Max(Rate * factor, lowest), 0);
        return Rate;
    }

    /// <summary>The rate, the best figure and the periods since then, for <see cref="Restore"/>.</summary>
    public double[] Save() => [Rate, _best, _waited];

    /// <summary>Goes on where a schedule with the same settings was saved.</summary>
    /// <exception cref="ArgumentException">This is nothing that <see cref="Save"/> gives. Nothing has
    /// changed.</exception>
    public void Restore(IReadOnlyList<double> saved)
    {
        if (saved is not [>= 0, var best, >= 0 and <= int.MaxValue] || double.IsNaN(best))
            throw new ArgumentException(
                $"schedule plateau: [{string.Join(", ", saved)}] are no rate, best figure and periods waited");
        (Rate, _best, _waited) = (saved[0], best, (int)saved[2]);
    }
}
