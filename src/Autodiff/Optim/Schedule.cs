using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim;

/// <summary>
/// Learning rate as a function of the step (from 1). Warm-up rises in a straight line to the base rate, which it reaches
/// at step <c>warmup</c>; cosine then falls to floor x base at the last step.
/// </summary>
public static class Schedule
{
    public static double RateAt(ScheduleSpec spec, double baseRate, long step, long totalSteps)
    {
        if (step < spec.Warmup) return baseRate * step / spec.Warmup;
        return spec.Kind switch
        {
            "constant" => baseRate,
            "cosine" => Cosine(baseRate, baseRate * spec.Floor, step - Math.Max(spec.Warmup, 1), totalSteps - Math.Max(spec.Warmup, 1)),
            _ => throw new UserException(ExitCode.BadJob, $"optimizer.schedule.kind \"{spec.Kind}\" is not constant or cosine"),
        };
    }

    /// <summary>lowest + (base - lowest)(1 + cos(π·at/length))/2, and lowest after the end.</summary>
    public static double Cosine(double baseRate, double lowest, long at, long length) =>
        at >= length ? (length <= 0 ? baseRate : lowest)
        : lowest + ((baseRate - lowest) * (1 + Math.Cos(Math.PI * at / length)) / 2);
}
