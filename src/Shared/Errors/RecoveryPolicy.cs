namespace Convoy.Shared.Errors;

/// <summary>What is tried after a failure.</summary>
public enum RecoveryAction
{
    GiveUp,
    /// <summary>The same at once.</summary>
    Retry,
    /// <summary>The same after a wait that doubles.</summary>
    RetryLater,
    /// <summary>The same work in pieces of half the size.</summary>
    RetrySmaller,
    /// <summary>The same with numbers that are not finite repaired.</summary>
    RetryRepaired,
}

/// <param name="DelayMs">Wait before the next try.</param>
/// <param name="Pieces">Parts in which the work is done; a power of two.</param>
/// <param name="Repair">Numbers that are not finite are to be replaced.</param>
public sealed record RecoveryDecision(RecoveryAction Action, int DelayMs, int Pieces, bool Repair, string Reason);

/// <param name="DelayMs">First wait; each further one is twice as long, up to <paramref name="DelayMsMax"/>.</param>
public sealed record RecoveryOptions(int AttemptsMax = 4, int DelayMs = 50, int DelayMsMax = 5_000, int PiecesMax = 64);

/// <summary>
/// Decides what to try after a failure, and learns from what came of it: of the actions that suit a code, the one that
/// helped most often goes first. No clock and no randomness: the same history gives the same decisions.
/// </summary>
public sealed class RecoveryPolicy(RecoveryOptions options)
{
    private readonly SortedDictionary<(ErrorCode, RecoveryAction), (int Helped, int Tried)> _outcomes = [];

    /// <summary>How often an action was tried after a code, and how often it helped.</summary>
    public (int Helped, int Tried) Outcome(ErrorCode code, RecoveryAction action) =>
        _outcomes.GetValueOrDefault((code, action));

    /// <param name="verdict">The failure.</param>
    /// <param name="attempts">Decisions since the work was last done.</param>
    public RecoveryDecision Decide(FailureVerdict verdict, IReadOnlyList<RecoveryDecision> attempts)
    {
        var pieces = attempts.Count == 0 ? 1 : attempts[^1].Pieces;
        var repair = attempts.Count > 0 && attempts[^1].Repair;
        if (attempts.Count >= options.AttemptsMax) return End($"{attempts.Count} attempts did not help");
        var suited = Suited(verdict.Code).Where(a =>
            (a != RecoveryAction.RetrySmaller || pieces * 2 <= options.PiecesMax)
                && (a != RecoveryAction.RetryRepaired || !repair));
        // OrderBy is stable: what has no history keeps the order of the table.
        var action = suited.OrderByDescending(a => Score(verdict.Code, a)).FirstOrDefault(RecoveryAction.GiveUp);
        return action switch
        {
            RecoveryAction.Retry => new RecoveryDecision(action, 0, pieces, repair, "the fault may be gone"),
            RecoveryAction.RetryLater => new RecoveryDecision(
                action, Delay(attempts.Count(a => a.Action == action)), pieces, repair,
                "the other side may need a moment"),
            RecoveryAction.RetrySmaller =>
                new RecoveryDecision(action, 0, pieces * 2, repair, "half the size needs half the memory"),
            RecoveryAction.RetryRepaired =>
                new RecoveryDecision(action, 0, pieces, true, "the numbers can be repaired"),
            _ => End($"{verdict.Code} is {verdict.Nature}: the same again fails again"),
        };

        RecoveryDecision End(string reason) => new(RecoveryAction.GiveUp, 0, pieces, repair, reason);
    }

    /// <summary>What came of a decision: it is weighed the next time the code is seen.</summary>
    public void Learn(ErrorCode code, RecoveryAction action, bool helped)
    {
        var (before, tried) = Outcome(code, action);
        _outcomes[(code, action)] = (before + (helped ? 1 : 0), tried + 1);
    }

    private int Delay(int earlier) =>
        (int)Math.Min(options.DelayMsMax, (long)options.DelayMs << Math.Min(earlier, 30));

    // Successes over tries with one of each beforehand, so that one failure does not condemn an action.
    private double Score(ErrorCode code, RecoveryAction action)
    {
        var (helped, tried) = Outcome(code, action);
        return (helped + 1.0) / (tried + 2.0);
    }

    private static RecoveryAction[] Suited(ErrorCode code) => code switch
    {
        ErrorCode.OutOfMemory or ErrorCode.DeviceAllocation => [RecoveryAction.RetrySmaller, RecoveryAction.RetryLater],
        ErrorCode.Peer or ErrorCode.Disk => [RecoveryAction.RetryLater],
        ErrorCode.DeviceSync => [RecoveryAction.Retry, RecoveryAction.RetryLater],
        ErrorCode.NotANumber or ErrorCode.Infinite or ErrorCode.Overflow or ErrorCode.DivideByZero =>
            [RecoveryAction.RetryRepaired],
        _ => [],
    };
}

/// <summary>Does a piece of work under a policy: fails, decides, waits, tries again.</summary>
public static class RecoveryLoop
{
    /// <param name="work">Is told in how many pieces to work and whether to repair numbers.</param>
    /// <param name="wait">Waits so many milliseconds; time belongs to the caller.</param>
    /// <returns>The result, and the decisions that led to it.</returns>
    public static (T Result, IReadOnlyList<RecoveryDecision> Decisions) Run<T>(
        RecoveryPolicy policy, Func<RecoveryDecision, T> work, Action<int> wait)
    {
        var decisions = new List<RecoveryDecision>();
        var current = new RecoveryDecision(RecoveryAction.Retry, 0, 1, false, "first attempt");
        ErrorCode? cause = null;
        while (true)
        {
            try
            {
                var result = work(current);
                if (cause is { } overcome) Learn(policy, overcome, decisions, current.Action);
                return (result, decisions);
            }
            catch (Exception failure)
            {
                var verdict = FailureClass.Of(failure);
                cause = verdict.Code;
                current = policy.Decide(verdict, decisions);
                // Whoever asked for the work hears of its failure as it was.
                if (current.Action == RecoveryAction.GiveUp)
                {
                    Learn(policy, verdict.Code, decisions, null);
                    throw;
                }

                decisions.Add(current);
            }

            if (current.DelayMs > 0) wait(current.DelayMs);
        }
    }

    // An action is judged by where it led: halving twice before it fits is no failure of the first halving.
    private static void Learn(
        RecoveryPolicy policy, ErrorCode code, List<RecoveryDecision> decisions, RecoveryAction? helped)
    {
        foreach (var action in decisions.Select(d => d.Action).Distinct().Order())
            policy.Learn(code, action, action == helped);
    }
}
