using Convoy.LoadTests.Kernels;

namespace Convoy.Cli.Tests.Bench;

// TEST-14: the comparison with other systems runs everywhere, and says what it left out.
public class ComparisonTests
{
    [Fact]
    public void EveryCase_Runs_AndDerivativesAgreeWithOneAnother()
    {
        var sums = Comparison.Cases().ToDictionary(c => c.Name, c => c.Run());
        Assert.All(sums.Values, sum => Assert.True(double.IsFinite(sum) && sum != 0));
        Assert.Equal(21, sums.Count);
        // H 1 summed is the sum of the Hessian; along another vector it is another number.
        Assert.NotEqual(sums["hessian 10"], sums["hessian-vector 10"]);
    }

    [Fact]
    public void WithoutPython_OneLineSaysSo()
    {
        var peers = new Peers(["no-such-python"], 0.01);
        Assert.Empty(peers.Run());
        Assert.StartsWith("skipped: none of no-such-python can be started", Assert.Single(peers.Skipped));
    }

    [Fact]
    public void TheTable_HasRatios_AndRefusesOtherResults()
    {
        var peers = new Peers([], 0.01);
        var times = peers.Parse("""
            {"peer": "torch", "case": "gradient 10", "us": 300, "check": 1.0}
            {"peer": "torch", "case": "hessian 10", "us": 300, "check": 5.0}
            {"peer": "jax", "skip": "No module named 'jax'"}
            """);
        Assert.Equal(["skipped: jax (No module named 'jax')"], peers.Skipped);
        Assert.Equal(
            [
                "| case | Convoy, us | torch, us (x Convoy) |", "|---|---|---|",
                "| gradient 10 | 100 | 300 (3.00) |",
                "| hessian 10 | 50.0 | another result: 5, not 1 |",
            ],
            Comparison.Table([new("Convoy", "gradient 10", 100, 1), new("Convoy", "hessian 10", 50, 1), .. times]));
    }
}
