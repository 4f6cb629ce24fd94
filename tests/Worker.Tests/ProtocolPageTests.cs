using Convoy.Shared.Protocol;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;
using Convoy.Worker.Training;
using Convoy.Tests;

namespace Convoy.Worker.Tests;

/// <summary>The tables in docs/protocols are those of the code. CONVOY_REWRITE=1 writes them there.</summary>
public sealed class ProtocolPageTests
{
    [Fact]
    public void Step() => ProtocolPage.Check("step.md", TransitionTable.ToMarkdown(StepProtocol.Transitions));

    [Fact]
    public void Learner() =>
        ProtocolPage.Check("learner.md", TransitionTable.ToMarkdown(LearnerProtocol.Transitions));

    [Fact]
    public void Donor() => ProtocolPage.Check("donor.md", TransitionTable.ToMarkdown(DonorProtocol.Transitions));

    [Fact]
    public void Exchange() =>
        ProtocolPage.Check("exchange.md", TransitionTable.ToMarkdown(ExchangeProtocol.Transitions));
}
