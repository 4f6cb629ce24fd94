using System.Globalization;
using Convoy.Autodiff.Execution;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Worker.Training;

/// <summary>
/// What a compiled program has to tell beside its rows: times of its operators while somebody wants them (MON-07), and
/// what is computed again where that adapts (MEM-06). With neither, a step costs two comparisons with null.
/// </summary>
internal sealed class TrainingNews(TrainProgram program, TimeProvider clock)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private ProgramProfile? _profile;
    private IDisposable? _timing; // null: off
    private RecomputeReview? _review;
    private long _toldAt;

    /// <summary>Begins anew, or ends. What is so already stays so.</summary>
    public void Profile(bool on)
    {
        if (on == _timing is not null) return;
        _timing?.Dispose();
        _timing = null;
        if (!on) return;
        _profile = new ProgramProfile(program, clock);
        _timing = _profile.Start();
        _toldAt = clock.GetTimestamp();
    }

    public void Reviewed(RecomputeReview review) => _review = review;

    /// <summary>What is new at this step; null: nothing that is due.</summary>
    public IMessage? Take(long step)
    {
        if (_review is { } review)
        {
            _review = null;
            return new RecomputeReviewed { Step = step, Text = TextOf(review) };
        }

        if (_timing is null || clock.GetElapsedTime(_toldAt) < Every) return null;
        _toldAt = clock.GetTimestamp();
        var profiled = new Profiled { Step = step, Runs = _profile!.Steps };
        foreach (var t in _profile.Operators)
        {
            profiled.Operators.Add(new OperatorTime
            {
                Operator = t.Operator, Calls = t.Calls, TotalMs = t.TotalMs, MinMs = t.MinMs, MaxMs = t.MaxMs,
                Flops = t.Flops, Bytes = t.Bytes,
            });
        }

        return profiled;
    }

    private static string TextOf(RecomputeReview review) => string.Create(CultureInfo.InvariantCulture,
        $"recompute {(review.Changed ? "changes to" : "stays at")} {review.Chosen}: {review.PlannedBytes >> 10} KiB "
        + $"planned, {review.HeldBytes >> 10} KiB held, {review.AgainMs:0.000} ms a step computed again "
        + $"(before {review.AgainMsBefore:0.000})");
}
