using Convoy.Shared.Jobs;

namespace Convoy.Shared.Tests.Jobs;

/// <summary>DEV-13: what a job says about libraries for products.</summary>
public class BlasSpecTests
{
    [Theory]
    [InlineData("managed")]
    [InlineData("auto")]
    [InlineData("openblas")]
    [InlineData("mkl")]
    [InlineData("accelerate")]
    [InlineData("atlas")]
    [InlineData("openblas:2000000:never:16000000")]
    public void WhatIsWritten_IsRead(string text)
    {
        var spec = BlasSpec.Parse(text, out var broken);
        Assert.Null(broken);
        Assert.Equal(text, spec.ToString());
    }

    [Fact]
    public void Sizes_AreOfLinearLayersProductsAndWeights() =>
        Assert.Equal(new BlasSpec(BlasLibrary.Mkl, 1, BlasSpec.Never, 3), BlasSpec.Parse("mkl:1:never:3", out _));

    [Theory]
    [InlineData("cublas")]
    [InlineData("OpenBLAS")]
    [InlineData("openblas:1")]
    [InlineData("openblas:1:2:-3")]
    [InlineData("managed:1:2:3")]
    [InlineData("")]
    public void WhatIsUnknown_IsRefused(string text)
    {
        BlasSpec.Parse(text, out var broken);
        Assert.Contains("openblas", broken);
    }
}
