using Convoy.Simulation.Tests.Scripting;

namespace Convoy.Simulation.Tests.Membership;

public sealed class MembershipScriptTests
{
    public static TheoryData<string> Scripts() => [.. ScriptRunner.Names("membership")];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_leaves_its_trace(string name) => ScriptRunner.Check(name, new MembershipMachine());
}
