using Convoy.Coordinator.Checkpoints;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Protocol;
using Convoy.Tests;

namespace Convoy.Coordinator.Tests;

/// <summary>The table on a protocol's page is the table in its code. CONVOY_REWRITE=1 writes the pages.</summary>
public sealed class ProtocolPageTests
{
    [Fact]
    public void Membership() =>
        ProtocolPage.Check("membership.md", TransitionTable.ToMarkdown(MembershipProtocol.Transitions));

    [Fact]
    public void Job() => ProtocolPage.Check("job.md", TransitionTable.ToMarkdown(JobProtocol.Transitions));

    [Fact]
    public void Takeover() =>
        ProtocolPage.Check("takeover.md", TransitionTable.ToMarkdown(LeadershipProtocol.Transitions));

    [Fact]
    public void Checkpoint() =>
        ProtocolPage.Check("checkpoint.md", TransitionTable.ToMarkdown(CheckpointProtocol.Transitions));
}
