using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Ops;

namespace Convoy.Conformance.Tests;

/// <summary>TEST-01..03, AD-01..05: the matrix that `convoy verify ops` prints has no gap, row by row.</summary>
public sealed class OpMatrixTests
{
    public static TheoryData<string> Names() => [.. OpTable.All.Where(OpMatrix.HasFormula).Select(op => op.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Row_HasNoGap(string name)
    {
        var row = OpMatrix.Row(OpTable.Find(name)!);
        Assert.Equal(14, row.Cells.Length);
        var gaps = string.Join("; ", row.Gaps.Select(g => $"{g.Check} {g.DType}: {g.Note}"));
        Assert.True(gaps.Length == 0, gaps);
    }

    [Fact]
    public void ThereAreAtLeastOneHundredAndFiftyOperators() => Assert.True(Names().Count >= 150);
}
