namespace Convoy.Autodiff.Optim;

/// <summary>
/// The running average of a job's weights, in a state vector of their layout: average = decay average + (1 - decay) w,
/// from the first weights on (Polyak and Juditsky 1992, with exponential forgetting). Element by element in float64,
/// rounded once.
/// </summary>
public sealed class RunningAverage(double decay)
{
    /// <summary>Name of the state vector in checkpoints.</summary>
    public const string StateName = "average";

    /// <summary>A vector of zeros only: nothing was averaged yet.</summary>
    public static bool IsUnset(ReadOnlySpan<float> average) => average.IndexOfAnyExcept(0f) < 0;

    /// <summary>One more step: the average moves towards the weights, in place; the first weights are the first
    /// average.</summary>
    public void Follow(ReadOnlySpan<float> weights, Span<float> average)
    {
        if (IsUnset(average))
        {
            weights.CopyTo(average);
            return;
        }

        for (var i = 0; i < average.Length; i++)
            average[i] = (float)((decay * average[i]) + ((1 - decay) * weights[i]));
    }
}
