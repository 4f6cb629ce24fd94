using Convoy.Shared.Casting;
using Convoy.Shared.Protocol;
using Convoy.Tests;

namespace Convoy.Shared.Tests.Casting;

/// <summary>The table in docs/protocols/cast.md is that of the code. CONVOY_REWRITE=1 writes it there.</summary>
public sealed class CastPageTests
{
    [Fact]
    public void Transitions_stand_on_the_page() =>
        ProtocolPage.Check("cast.md", TransitionTable.ToMarkdown(CastProtocol.Transitions));
}
