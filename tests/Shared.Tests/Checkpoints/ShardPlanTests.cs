using Convoy.Shared.Checkpoints;
using Convoy.Shared.Tensors;
using FsCheck;
using FsCheck.Fluent;

namespace Convoy.Shared.Tests.Checkpoints;

// CKPT-04: tensors are divided among the savers.
public sealed class ShardPlanTests
{
    [Fact]
    public void Names_are_weights_then_each_state() =>
        Assert.Equal(["weights/a", "weights/b", "m/a", "m/b", "v/a", "v/b"],
            ShardPlan.Tensors([new("a", new Shape(1)), new("b", new Shape(2))], ["m", "v"]).Select(t => t.Name));

    [Fact]
    public void Shards_cover_every_tensor_once_in_order_and_are_balanced() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), Gen.Choose(1, 12).ToArbitrary(), (sizes, shards) =>
        {
            var tensors = sizes.Select((s, i) => new TensorName($"t{i}", new Shape(s))).ToList();
            var ranges = ShardPlan.Divide(tensors, shards);
            Assert.Equal(shards, ranges.Count);
            var expected = 0;
            var largest = sizes.Length == 0 ? 0 : sizes.Max();
            foreach (var (from, end) in ranges)
            {
                Assert.Equal(expected, from);
                expected = end;
                var bytes = sizes[from..end].Sum(s => (long)s);
                Assert.True(bytes <= (sizes.Sum(s => (long)s) / shards) + largest + 1);
            }

            Assert.Equal(tensors.Count, expected);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_hash_of_weights_goes_by_name_and_ignores_the_order_given()
    {
        var (a, b) = (new float[] { 1, 2 }, new float[] { 3 });
        var hash = WeightsHash.Of([("b", b), ("a", a)]);
        Assert.Equal(System.Security.Cryptography.SHA256.HashData([0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64]), hash);
    }
}
