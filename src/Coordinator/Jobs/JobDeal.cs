namespace Convoy.Coordinator.Jobs;

/// <summary>What one job of several asks for and has.</summary>
/// <param name="Min">Workers below which it cannot train.</param>
/// <param name="Want">Workers that it makes use of, at least Min.</param>
/// <param name="Have">Workers that are its own now.</param>
internal readonly record struct JobNeed(int Min, int Want, int Have);

// Who gets the workers that no job makes use of. Jobs stand in the order of their submission. First each gets its
// minimum, as far as a whole minimum can be had: workers that are too few to start a job would only wait in it. What is
// left goes to whoever wants more, the oldest first. Nobody loses a worker that trains. Pure.
// JD-1  No job gets more than it wants.
// JD-2  A job gets something only if it can train with what it has then.
// JD-3  Workers stay idle only when no job can make use of them.
internal static class JobDeal
{
    /// <summary>How many of the idle workers each job gets.</summary>
    public static int[] Of(IReadOnlyList<JobNeed> jobs, int idle)
    {
        var gets = new int[jobs.Count];
        for (var i = 0; i < gets.Length; i++)
        {
            var missing = jobs[i].Min - jobs[i].Have;
            if (missing <= 0 || missing > idle) continue;
            gets[i] = missing;
            idle -= missing;
        }

        for (var i = 0; i < gets.Length; i++)
        {
            if (jobs[i].Have + gets[i] < jobs[i].Min) continue;
            var more = Math.Clamp(jobs[i].Want - jobs[i].Have - gets[i], 0, idle);
            gets[i] += more;
            idle -= more;
        }

        return gets;
    }
}
