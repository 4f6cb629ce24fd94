using Convoy.Shared.Jobs;

namespace Convoy.Shared.Tests.Jobs;

/// <summary>OPS-13, DEV-01: what a job says about the device for convolutions.</summary>
public class AcceleratorSpecTests
{
    [Theory]
    [InlineData("none")]
    [InlineData("opencl")]
    [InlineData("opencl:2")]
    public void WhatIsWritten_IsRead(string text)
    {
        var spec = AcceleratorSpec.Parse(text, out var broken);
        Assert.Null(broken);
        Assert.Equal(text, spec.ToString());
    }

    [Theory]
    [InlineData("cuda")]
    [InlineData("OpenCL")]
    [InlineData("opencl:-1")]
    [InlineData("opencl:")]
    [InlineData("none:0")]
    [InlineData("")]
    public void WhatIsUnknown_IsRefused(string text)
    {
        AcceleratorSpec.Parse(text, out var broken);
        Assert.Contains("convoy devices", broken);
    }
}
