using Convoy.Kernels.OpenCl;
using Convoy.Shared;

namespace Convoy.Kernels.Tests.OpenCl;

// DEV-01, DEV-08: which devices there are, and which of them are refused by name.
public class ClDeviceTests
{
    private const ulong All = 1 | 2 | 4 | 32;

    [Theory]
    [InlineData(32, "CL_FP_FMA")]
    [InlineData(1, "CL_FP_DENORM")]
    [InlineData(2, "CL_FP_INF_NAN")]
    [InlineData(4, "CL_FP_ROUND_TO_NEAREST")]
    public void ADeviceWithOtherNumbers_IsRefusedByWhatItLacks(ulong lacks, string named)
    {
        Assert.Null(ClDevice.FaultOf(All));
        Assert.Contains(named, ClDevice.FaultOf(All & ~lacks), StringComparison.Ordinal);
    }

    [Fact]
    public void Devices_HaveTheirPlaceAsIndex_OrALineSaysWhatToInstall()
    {
        var devices = Accelerator.Devices(out var missing);
        Assert.Equal(devices.Count == 0, missing is not null);
        for (var i = 0; i < devices.Count; i++)
        {
            Assert.Equal($"opencl:{i}", devices[i].Name);
            Assert.True(devices[i] is { MemoryBytes: > 0, ComputeUnits: > 0, Model.Length: > 0 }, $"{devices[i]}");
        }

        if (missing is null) return;
        Assert.Contains("install", missing, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', missing);
    }

    [Fact]
    public void AnErrorOfTheLibrary_HasItsNameAndAnAdvice()
    {
        ClCode.Check(0, "clFinish", "opencl:0");
        var failed = Assert.Throws<UserException>(() => ClCode.Check(-5, "clFinish", "opencl:0"));
        Assert.Equal(ExitCode.Accelerator, failed.Code);
        Assert.StartsWith("accelerator opencl:0: clFinish failed with CL_OUT_OF_RESOURCES", failed.Message);
        Assert.Contains("smaller batch", failed.Message, StringComparison.Ordinal);
        Assert.Equal("error -9999", ClCode.NameOf(-9999));
    }
}
