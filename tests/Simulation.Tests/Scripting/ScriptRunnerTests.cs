namespace Convoy.Simulation.Tests.Scripting;

public sealed class ScriptRunnerTests
{
    [Fact]
    public void A_script_is_returned_with_the_traces_the_machine_leaves()
    {
        const string script = "# counter: adds\n\n# one block\nadd 2\nadd 3 times=2\n----\nold\n\nadd 0\n----\n";
        const string expected =
            "# counter: adds\n\n# one block\nadd 2\nadd 3 times=2\n----\nsum 2\nsum 8\n\nadd 0\n----\nnothing\n";
        Assert.Equal(expected, ScriptRunner.Run(script, new Counter()));
    }

    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("1.5s", 1500)]
    public void Times_have_units(string text, int milliseconds) =>
        Assert.Equal(milliseconds, ScriptCommand.TimeOf(text).TotalMilliseconds);

    [Fact]
    public void Lists_have_ranges() => Assert.Equal([1, 3, 4, 5], new ScriptCommand("kill 1,3..5").NumbersAt(0));

    private sealed class Counter : IScriptMachine
    {
        private long _sum;

        public IEnumerable<string> Run(ScriptCommand command)
        {
            var number = command.NumbersAt(0)[0];
            if (number == 0) return [];
            _sum += number * command.Number("times", 1);
            return [$"sum {_sum}"];
        }
    }
}
