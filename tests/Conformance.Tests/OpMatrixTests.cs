using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Ops;

namespace Convoy.Conformance.Tests;

/// <summary>
/// TEST-01, GV-01, AD-01, ERR-07, OPS-01 to OPS-13, OPS-19 to OPS-21: value, gradient, second gradient, forward mode,
/// broadcasting, zero size, views and batches of every operator in both element types. The matrix that
/// `convoy verify ops` prints has no gap, row by row.
/// </summary>
public sealed class OpMatrixTests
{
    public static TheoryData<string> Names() => [.. OpTable.All.Where(OpMatrix.HasFormula).Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Row_HasNoGap(string name)
    {
        var row = OpMatrix.Row(OpTable.Find(name)!);
        Assert.Equal(16, row.Cells.Length);
        var gaps = string.Join("; ", row.Gaps.Select(g => $"{g.Check} {g.DType}: {g.Note}"));
        Assert.True(gaps.Length == 0, gaps);
    }

    /// <summary>HO-08: no operator of the table is applied sample by sample.</summary>
    [Fact]
    public void Vmap_HasARuleForEveryOperator()
    {
        var looped = new List<string>();
        foreach (var sample in OpSamples.All) Assert.Null(BatchChecks.Vmap(sample, looped));
        Assert.Empty(looped.Distinct());
    }

    [Fact]
    public void ThereAreAtLeastOneHundredAndFiftyOperators() => Assert.True(Names().Count >= 150);
}
