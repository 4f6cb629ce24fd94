using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Membership;

/// <summary>How a step of a plan commits, and in how many parts its state lies.</summary>
/// <param name="Rule">Local only where every member holds the whole state.</param>
/// <param name="Cells">Parts of the state, numbered from 0; each member holds the part of its cell.</param>
internal sealed record CommitPlan(CommitRule Rule, int Cells)
{
    /// <summary>Every member holds everything and applies what it holds.</summary>
    public static readonly CommitPlan Local = new(CommitRule.Local, 1);

    /// <summary>Every member holds everything; nobody applies before all hold the step.</summary>
    public static readonly CommitPlan Unanimous = new(CommitRule.Unanimous, 1);
}
