using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Numerics;

/// <summary>A fault that was repaired, and the operator whose result held it.</summary>
public sealed record NumericIssue(string Op, NumericalReport Report);

/// <summary>
/// Looks at the result of every eager operator on this thread, forward and backward, until it is disposed: strict
/// policies fail at the first operator that makes a bad number, permissive ones repair it there and keep a record.
/// </summary>
public sealed class NumericGuard : IDisposable
{
    private const int IssuesMax = 1_000;
    [ThreadStatic] private static Scope? _top;
    private readonly Scope _scope;
    private readonly NumericPolicy _policy;
    private readonly List<NumericIssue> _issues = [];

    private NumericGuard(NumericPolicy policy)
    {
        _policy = policy;
        _top = _scope = new Scope(ThreadScope.Innermost(ref _top), this);
    }

    /// <summary>Guards this thread by a policy until it is disposed; guards nest, the innermost counts.</summary>
    public static NumericGuard Use(NumericPolicy policy) => new(policy);

    /// <summary>The first faults that were repaired; <see cref="Faults"/> counts them all.</summary>
    public IReadOnlyList<NumericIssue> Issues => _issues;

    /// <summary>Numbers that were repaired.</summary>
    public long Faults { get; private set; }

    /// <summary>The guard outside this one counts again.</summary>
    public void Dispose() => _scope.Dispose();

    internal static void Check(string op, Tensor[] results)
    {
        if (_top is null || ThreadScope.Innermost(ref _top)?.Guard is not { } guard) return;
        foreach (var result in results)
        {
            var report = TensorSanitizer.CleanInPlace(result, guard._policy, op);
            if (report.Faults == 0) continue;
            guard.Faults += report.Faults;
            if (guard._issues.Count < IssuesMax) guard._issues.Add(new NumericIssue(op, report));
        }
    }

    private sealed class Scope(Scope? outer, NumericGuard guard) : ThreadScope(outer)
    {
        public NumericGuard Guard { get; } = guard;
    }
}
