using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Tests.Collectives;

// DIST-08, DIST-10: the all-reduce as a pure protocol; buckets are exchanged as they become ready.
public sealed class ExchangeProtocolTests
{
    [Theory]
    [InlineData(1, 8, 1)]
    [InlineData(2, 8, 2)]
    [InlineData(3, 8, 3)]
    [InlineData(5, 8, 4)]
    [InlineData(7, 8, 5)]
    [InlineData(3, 16, 6)]
    [InlineData(5, 16, 7)]
    [InlineData(7, 16, 8)]
    [InlineData(3, 5, 9)]
    [InlineData(10, 8, 10)] // members without slices
    public void Every_member_ends_with_the_bits_of_the_one_tree_X1_X2(int members, int slices, ulong seed)
    {
        foreach (var directBytesMax in new[] { 0, 1 << 30 })
            CheckBits(new ExchangeSimulation(members, slices, 3 * 4096 + 80, 2 * 4096 * 4,
                seed, directBytesMax: directBytesMax));
    }

    private static void CheckBits(ExchangeSimulation net)
    {
        for (var step = 1; step <= 3; step++)
        {
            net.RunStep(step);
            var root = new SliceTree(net.Shares.Slices).Root;
            var expected = ExchangeSimulation.NodeValue(root, net.Rows, net.Layout.Elements, step);
            foreach (var node in net.Nodes)
            {
                Assert.Equal(step, node.HeldCount);
                Assert.Equal(expected, node.Reduced);
                Assert.Equal(0, node.OpenHandles);
                Assert.Empty(node.Notes);
            }
        }
    }

    [Theory]
    [InlineData(2, 8, "1,1,1,0,0,0,0,0")]
    [InlineData(3, 8, "2,2,2,2,2,2,1,0")]
    [InlineData(5, 8, "1,0,0,0,0,0,0,0")]
    [InlineData(7, 16, "4,4,4,4,4,4,4,4,4,1,0,0,0,0,0,0")]
    public void Absent_slices_are_neither_sent_nor_added(int members, int slices, string rows)
    {
        var counts = rows.Split(',').Select(int.Parse).ToArray();
        var net = new ExchangeSimulation(members, slices, 4096 * 2, 4096 * 4, 77, counts);
        net.RunStep(1);
        var expected = ExchangeSimulation.NodeValue(new SliceTree(slices).Root, counts, net.Layout.Elements, 1);
        Assert.All(net.Nodes, n => Assert.Equal(expected, n.Reduced));
        Assert.All(net.Nodes, n => Assert.Equal(1, n.HeldCount));
    }

    [Theory]
    [InlineData(2, 8)]
    [InlineData(3, 8)]
    [InlineData(5, 16)]
    public void Frames_and_bytes_are_those_of_COSTS_md(int members, int slices)
    {
        var net = new ExchangeSimulation(members, slices, 16 * 4096, 8 * 4096 * 4, 3);
        net.RunStep(1);
        long frames = members * (members - 1);
        for (var m = 0; m < members; m++)
        {
            long nodes = net.Tree.FirstSlotOf[m + 1] - net.Tree.FirstSlotOf[m];
            var mine = net.Layout.Blocks.Where(b => b.Owner == m).Sum(b => (long)b.Length);
            Assert.Equal(4 * ((nodes * (net.Layout.Elements - mine)) + (mine * (members - 1))), net.BytesSent[m]);
            frames += (nodes * net.Layout.Blocks.Count(b => b.Owner != m))
                + ((members - 1) * net.Layout.Blocks.Count(b => b.Owner == m));
        }

        Assert.Equal(frames, net.FramesSent);
    }

    [Theory]
    [InlineData(2, 8)]
    [InlineData(5, 16)]
    public void A_direct_gradient_takes_one_round_and_the_bytes_of_COSTS_md(int members, int slices)
    {
        var net = new ExchangeSimulation(members, slices, 4 * 4096, 8 * 4096 * 4, 3, directBytesMax: 1 << 30);
        net.RunStep(1);
        for (var m = 0; m < members; m++)
        {
            long nodes = net.Tree.FirstSlotOf[m + 1] - net.Tree.FirstSlotOf[m];
            Assert.Equal(4 * nodes * net.Layout.Elements * (members - 1), net.BytesSent[m]);
        }
    }

    [Fact]
    public void A_duplicate_is_refused_by_name_and_given_back_X1()
    {
        var net = new ExchangeSimulation(2, 2, 4096 * 2, 4096 * 8, 1);
        var node = net.Nodes[0];
        node.Begin(1);
        var header = Partial(net, generation: 1, step: 1);
        node.Receive(ExchangeSimulation.IncarnationOf(1), header, new float[4096]);
        Assert.Equal(1, node.OpenHandles);
        node.Receive(ExchangeSimulation.IncarnationOf(1), header, new float[4096]);
        Assert.Equal(1, node.OpenHandles);
        Assert.Contains("duplicate", Assert.Single(node.Notes));
    }

    [Theory]
    [InlineData(0, 1, "this worker is in g1")]
    [InlineData(1, 0, "this worker is at step 1")]
    [InlineData(1, 3, "this worker is at step 1")]
    public void A_frame_of_another_generation_or_step_is_refused_by_name_X3(long generation, long step, string reason)
    {
        var net = new ExchangeSimulation(2, 2, 4096 * 2, 4096 * 8, 1);
        net.Nodes[0].Begin(1);
        net.Nodes[0].Receive(ExchangeSimulation.IncarnationOf(1), Partial(net, generation, step), new float[4096]);
        Assert.Contains(reason, Assert.Single(net.Nodes[0].Notes));
        Assert.Equal(0, net.Nodes[0].OpenHandles);
    }

    [Theory]
    [InlineData(7, 1, "no such block")]
    [InlineData(0, 5, "no such block")]
    [InlineData(0, 1, "not this worker's")]
    public void A_frame_that_fits_nothing_is_refused(int bucket, int chunk, string reason)
    {
        var net = new ExchangeSimulation(2, 2, 4096 * 2, 4096 * 8, 1);
        net.Nodes[0].Begin(1);
        var header = Partial(net, 1, 1) with { Bucket = bucket, Chunk = chunk, Offset = chunk == 1 ? 4096 : 0 };
        net.Nodes[0].Receive(ExchangeSimulation.IncarnationOf(1), header, new float[4096]);
        Assert.Contains(reason, Assert.Single(net.Nodes[0].Notes));
    }

    // R16: another operation, element type, cut of the gradient or order of members is found by the first header, says
    // what differs, and nothing of the frame is used; an early frame is judged when its step begins.
    [Theory]
    [InlineData(2, DType.Float32, 4096, 0, "operation 1 against 2", 1)]
    [InlineData(1, DType.Float64, 4096, 0, "element type 1 against 2", 1)]
    [InlineData(1, DType.Float32, 2048, 0, "shape ", 1)]
    [InlineData(1, DType.Float32, 4096, 1, "order ", 1)]
    [InlineData(1, DType.Float32, 4096, 1, "order ", 2)]
    public void A_member_with_another_plan_is_named_with_the_difference_X6_R16(
        byte operation, DType type, int bucket, int moved, string difference, long step)
    {
        var net = new ExchangeSimulation(2, 4, 4096 * 2, 4096 * 8, 1);
        var node = net.Nodes[0];
        node.Begin(1);
        var theirs = ExchangePlan.Of(new ExchangeLayout(4096 * 2, 2, bucket * 8, 4096, 0),
            net.Shares with { Cuts = [0, 2 + moved, 4] },
            [ExchangeSimulation.IncarnationOf(0), ExchangeSimulation.IncarnationOf(1)], operation, type);
        node.Receive(ExchangeSimulation.IncarnationOf(1),
            Partial(net, generation: 1, step) with { Plan = theirs.Value }, new float[4096]);
        Assert.Equal(1, node.Mismatch!.Value.Member);
        Assert.StartsWith(difference, node.Mismatch!.Value.Difference, StringComparison.Ordinal);
        Assert.DoesNotContain(',', node.Mismatch!.Value.Difference);
        Assert.Equal(0, node.OpenHandles);
    }

    [Fact]
    public void A_frame_of_a_generation_to_come_is_judged_when_it_begins_X6_R16()
    {
        var net = new ExchangeSimulation(2, 2, 4096 * 2, 4096 * 8, 1);
        var node = net.Nodes[0];
        node.Receive(ExchangeSimulation.IncarnationOf(1),
            Partial(net, generation: 2, step: 1) with { Plan = net.Plan.Value ^ 1 }, new float[4096]);
        Assert.Null(node.Mismatch);
        node.Stop();
        node.Enter(net, 0, generation: 2);
        node.Begin(1);
        Assert.Equal((1, "operation 1 against 0"), node.Mismatch);
        Assert.Equal(0, node.OpenHandles);
    }

    [Fact]
    public void A_stranger_and_a_node_of_another_share_are_refused()
    {
        var net = new ExchangeSimulation(2, 2, 4096 * 2, 4096 * 8, 1);
        net.Nodes[0].Begin(1);
        net.Nodes[0].Receive(new Incarnation(5), Partial(net, 1, 1), new float[4096]);
        net.Nodes[0].Receive(ExchangeSimulation.IncarnationOf(1),
            Partial(net, 1, 1) with { Node = new TreeNode(0, 0) }, new float[4096]);
        Assert.Contains("no member", net.Nodes[0].Notes[0]);
        Assert.Contains("not a present node", net.Nodes[0].Notes[1]);
    }

    [Fact]
    public void Frames_of_faster_peers_wait_within_a_bound_X4()
    {
        var net = new ExchangeSimulation(2, 2, 4096 * 2, 4096 * 8, 1);
        var node = new ExchangeMember(2 * (4096 * 4 + 64));
        node.Enter(net, 0);
        // Of the next step and of a generation that is not open here yet.
        node.Receive(ExchangeSimulation.IncarnationOf(1), Partial(net, 1, 1), new float[4096]);
        node.Receive(ExchangeSimulation.IncarnationOf(1), Partial(net, 2, 4), new float[4096]);
        node.Receive(ExchangeSimulation.IncarnationOf(1), Partial(net, 2, 4), new float[4096]);
        Assert.Contains("may (X4)", Assert.Single(node.Notes));
        Assert.Equal(2, node.OpenHandles);
        node.Begin(1);
        Assert.Equal(4096 * 4 + 64, node.Protocol.EarlyBytes);
        node.Stop();
        Assert.Equal(1, node.OpenHandles); // the newer generation's frame is still wanted
        node.Enter(net, 0, generation: 2, start: 3);
        node.Begin(4);
        Assert.Equal(0, node.Protocol.EarlyBytes);
        Assert.Equal(1, node.OpenHandles);
        Assert.Single(node.Notes);
    }

    // MEM-13: what a generation holds of the cluster's memory is given back when it ends.
    [Fact]
    public void After_a_stop_no_frame_of_the_generation_is_taken_scenario_19_M9_X5()
    {
        var net = new ExchangeSimulation(3, 8, 4096 * 4, 4096 * 8, 9);
        foreach (var node in net.Nodes) node.Begin(1);
        net.Nodes[1].Advance();
        net.Nodes[2].Advance();
        net.DeliverOne();
        net.Nodes[0].Stop();
        Assert.Equal(0, net.Nodes[0].OpenHandles);
        net.DeliverAll();
        Assert.All(net.Nodes[0].Reduced, x => Assert.Equal(0f, x));
        Assert.Equal(0, net.Nodes[0].OpenHandles);
        Assert.All(net.Nodes[0].Notes, n => Assert.Contains("refused", n));
        // Late bytes of generation 1 in generation 2: refused by generation.
        net.Nodes[0].Enter(net, 0, generation: 2);
        net.Nodes[0].Receive(ExchangeSimulation.IncarnationOf(1), Partial(net, 1, 1), new float[4096]);
        Assert.Contains("this worker is in g2", net.Nodes[0].Notes[^1]);
    }

    [Fact]
    public void A_redone_step_in_a_new_generation_has_the_same_bits()
    {
        var broken = new ExchangeSimulation(3, 8, 4096 * 4, 4096 * 8, 4);
        foreach (var node in broken.Nodes) node.Begin(1);
        foreach (var node in broken.Nodes) node.Advance();
        broken.DeliverOne();
        foreach (var node in broken.Nodes) node.Stop();
        broken.DeliverAll();

        var survivors = new ExchangeSimulation(2, 8, 4096 * 4, 4096 * 8, 5);
        survivors.RunStep(1);
        var expected = ExchangeSimulation.NodeValue(new SliceTree(8).Root, survivors.Rows, 4096 * 4, 1);
        Assert.All(survivors.Nodes, n => Assert.Equal(expected, n.Reduced));
    }

    [Fact]
    public void Waiting_names_the_members_that_owe_frames()
    {
        var net = new ExchangeSimulation(3, 8, 4096 * 3, 4096 * 16, 4);
        foreach (var node in net.Nodes) node.Begin(1);
        foreach (var node in net.Nodes.Take(2))
        {
            node.Advance();
            node.Advance();
        }

        net.DeliverAll();
        // Member 1 has sent its scalars and partials, but its own chunk also waits for member 2.
        Assert.Equal(1, net.Nodes[0].Protocol.MissingFrom(1));
        Assert.True(net.Nodes[0].Protocol.MissingFrom(2) > 1);
        Assert.Equal(0, net.Nodes[0].Protocol.MissingFrom(0));
    }

    [Fact]
    public void A_step_begins_once_and_in_order()
    {
        var net = new ExchangeSimulation(2, 2, 4096 * 2, 4096 * 8, 1);
        net.Nodes[0].Begin(1);
        Assert.Throws<InvariantException>(() => net.Nodes[0].Begin(2));
        Assert.Throws<InvariantException>(() => net.Nodes[1].Begin(2));
    }

    private static BulkHeader Partial(ExchangeSimulation net, long generation, long step) => new(
        BulkKind.Partial, 0, net.Tree.Slots[1].Node, new Generation(generation), new StepNumber(step), 0, 0, 0,
        4096 * 4, 0, net.Plan.Value);
}
