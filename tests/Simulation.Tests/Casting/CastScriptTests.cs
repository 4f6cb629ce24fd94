using Convoy.Simulation.Tests.Scripting;

namespace Convoy.Simulation.Tests.Casting;

public sealed class CastScriptTests
{
    public static TheoryData<string> Scripts() => [.. ScriptRunner.Names("cast")];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_leaves_its_trace(string name) => ScriptRunner.Check(name, new CastMachine());
}
