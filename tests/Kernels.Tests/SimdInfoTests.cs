namespace Convoy.Kernels.Tests;

/// <summary>DEV-11: what the processor has, how wide the kernels are because of it, and where buffers begin.</summary>
public sealed class SimdInfoTests
{
    [Fact]
    public void The_width_is_that_of_the_widest_set_with_a_kernel()
    {
        var sets = SimdInfo.InstructionSets;
        Assert.Equal(sets.Distinct(), sets);
        var lanes = sets.Contains("AVX-512F") ? 16
            : sets.Contains("AVX2") && sets.Contains("FMA") ? 8
            : sets.Contains("NEON") || sets.Contains("FMA") ? 4 : 1;
        Assert.Equal((lanes, lanes * sizeof(float)), (SimdInfo.Lanes, SimdInfo.RegisterBytes));
        Assert.False(sets.Contains("AVX2") && !sets.Contains("AVX"), "a wider set brings the narrower ones");
        Assert.False(sets.Contains("NEON") && sets.Contains("SSE"), "sets of two architectures");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(1 << 20)]
    [InlineData(9 << 20)]
    public void Buffers_begin_where_the_widest_register_may_read(int bytes)
    {
        Assert.True(SimdInfo.BufferAlignment >= SimdInfo.RegisterBytes);
        var address = PageMemory.Allocate(bytes);
        Assert.Equal(0, address % SimdInfo.BufferAlignment);
        PageMemory.Free(address);
    }
}
