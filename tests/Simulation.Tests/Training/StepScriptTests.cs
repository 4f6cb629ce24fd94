using Convoy.Simulation.Tests.Scripting;

namespace Convoy.Simulation.Tests.Training;

public sealed class StepScriptTests
{
    public static TheoryData<string> Names() => [.. ScriptRunner.Names("step")];

    [Theory]
    [MemberData(nameof(Names))]
    public void Script(string name) => ScriptRunner.Check(name, new StepMachine());
}
