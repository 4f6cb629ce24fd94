using Convoy.Autodiff.Execution;
using Convoy.Shared.Random;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>OPT-15, MP-1.</summary>
public sealed class MemoryPlanTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void BuffersThatLiveTogether_DoNotOverlap(ulong seed)
    {
        var random = new RandomStream(seed, RandomPurpose.Mask, 0);
        var requests = new List<BufferRequest>();
        for (var i = 0; i < 300; i++)
            requests.Add(new BufferRequest(random.Word(3 * i) % 5_000, i / 2,
                (i / 2) + (int)(random.Word((3 * i) + 1) % 12)));
        var plan = MemoryPlan.Of(requests);
        for (var a = 0; a < requests.Count; a++)
        {
            Assert.True(plan.Offsets[a] % 64 == 0 && plan.Offsets[a] + requests[a].Bytes <= plan.TotalBytes);
            for (var b = 0; b < a; b++)
            {
                var together = requests[a].FirstStep <= requests[b].LastStep
                    && requests[b].FirstStep <= requests[a].LastStep;
                var apart = plan.Offsets[a] + requests[a].Bytes <= plan.Offsets[b]
                    || plan.Offsets[b] + requests[b].Bytes <= plan.Offsets[a];
                Assert.True(!together || apart || requests[a].Bytes == 0 || requests[b].Bytes == 0,
                    $"MP-1 {a} and {b}");
            }
        }

        Assert.True(plan.TotalBytes < plan.BytesWithoutReuse / 4);
    }

    [Fact]
    public void AChain_TakesTwoBuffers()
    {
        var plan = MemoryPlan.Of([.. Enumerable.Range(0, 10).Select(i => new BufferRequest(64, i, i + 1))]);
        Assert.Equal(128, plan.TotalBytes);
    }
}
