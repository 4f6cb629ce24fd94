using Convoy.Shared.Jobs;
using Convoy.Shared.Random;
using FsCheck;
using FsCheck.Fluent;

namespace Convoy.Shared.Tests.Random;

// R7, R8: every sample of an epoch exactly once; a short last batch is weighted, not padded or dropped.
public sealed class StepPlanTests
{
    [Fact]
    public void Optdigits_has_29_full_steps_and_a_short_one()
    {
        var plan = new StepPlan(3_823, 128, 8);
        Assert.Equal(30, plan.StepsPerEpoch);
        Assert.Equal(16, plan.SliceSize);
        Assert.Equal((0L, 0L, 128), Look(plan.At(1)));
        Assert.Equal((0L, 29 * 128L, 111), Look(plan.At(30)));
        Assert.Equal((1L, 0L, 128), Look(plan.At(31)));
        Assert.Equal(new PositionRange((29 * 128) + 96, (29 * 128) + 111), plan.At(30).Slice(6));
        Assert.True(plan.At(30).IsAbsent(7));
        Assert.Equal(7, plan.At(30).PresentSlices);
        Assert.Equal(111 * 64.0, plan.At(30).Weight(64));
        Assert.Equal(600, plan.TotalSteps(new JobSpec { Epochs = 20 }));
        Assert.Equal(5, plan.TotalSteps(new JobSpec { Steps = 5 }));
        static (long, long, int) Look(StepSamples s) => (s.Epoch, s.FirstPosition, s.Count);
    }

    [Fact]
    public void Every_position_of_an_epoch_is_in_exactly_one_slice_of_one_step() =>
        Prop.ForAll(Gen.Choose(1, 400).ToArbitrary(), Gen.Choose(1, 70).ToArbitrary(), Gen.Choose(1, 20).ToArbitrary(),
            (samples, batch, slices) =>
        {
            var plan = new StepPlan(samples, batch, slices);
            var expected = 0L;
            for (var step = 1L; step <= plan.StepsPerEpoch; step++)
            {
                var s = plan.At(step);
                for (var slice = 0; slice < slices; slice++)
                {
                    Assert.Equal(expected, s.Slice(slice).From);
                    Assert.Equal(s.Slice(slice).Count == 0, slice >= s.PresentSlices);
                    expected = s.Slice(slice).End;
                }

                Assert.Equal(s.Count, s.Slices(0, slices).Count);
            }

            Assert.Equal(samples, expected);
        }).QuickCheckThrowOnFailure();
}
